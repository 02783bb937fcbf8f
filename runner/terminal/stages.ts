/** Stages in words, and how much work each is beside the others. */
import type { StageSpec } from '../../schema/stage.ts'

/** Such as `retrain, seed 0`; `method` names the run that an evaluation belongs to. */
export function stageLabel(spec: StageSpec, method?: string): string {
  const seed = `seed ${spec.seed}`
  switch (spec.kind) {
    case 'train':
      return `train ${spec.without ? 'retrain' : 'original'}, ${seed}`
    case 'unlearn':
      return `unlearn by ${method ?? spec.method.id}, ${seed}`
    case 'evaluate':
      return method ? `evaluate ${method}, ${seed}` : `evaluate, ${seed}`
  }
}

/** In epochs over the training set, roughly. */
export function workOf(spec: StageSpec): number {
  if (spec.kind === 'train') return 1 + spec.recipe.epochs
  if (spec.kind === 'evaluate') return 2.5
  const { epochs } = spec.method.params
  return 2 + (typeof epochs === 'number' ? epochs : 10)
}

export const totalWork = (stages: { spec: StageSpec }[]): number =>
  stages.reduce((sum, { spec }) => sum + workOf(spec), 0)
