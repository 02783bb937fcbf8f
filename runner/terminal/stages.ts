/** Stages in words, and how much work each is beside the others. */
import type { StageSpec } from '../../schema/stage.ts'

/** Such as `train retrain without class 3, seed 0`; `method` names the run that a stage after training belongs to. */
export function stageLabel(spec: StageSpec, method?: string): string {
  const { kind, seed } = spec
  if (kind === 'train') {
    const left = spec.without?.kind === 'class' ? ` without class ${spec.without.label}` : ''
    return `train ${spec.without ? 'retrain' : 'original'}${left}, seed ${seed}`
  }
  const part = 'request' in spec && spec.request.kind === 'class' ? `, class ${spec.request.label}` : ''
  const what =
    kind === 'unlearn'
      ? `unlearn by ${method ?? spec.method.id}`
      : kind.replace('-', ' ') + (method ? ` ${method}` : '')
  return `${what}${part}, seed ${seed}`
}

/** In epochs over the training set, roughly. */
export function workOf(spec: StageSpec): number {
  if ('recipe' in spec) return 1 + spec.recipe.epochs
  if (spec.kind !== 'unlearn') return 2.5
  const { epochs } = spec.method.params
  return 2 + (typeof epochs === 'number' ? epochs : 10)
}

export const totalWork = (stages: { spec: StageSpec }[]): number =>
  stages.reduce((sum, { spec }) => sum + workOf(spec), 0)
