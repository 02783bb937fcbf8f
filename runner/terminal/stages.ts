/** Stages in words, and how much work each is beside the others. */
import { picturedOf } from '../../schema/classes.ts'
import { likenessOf } from '../../schema/likeness.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { taskNamed } from '../../schema/task.ts'
import type { Work } from './estimate.ts'

/** Such as `train retrain without class 3, seed 0`; `method` and `run` name the run that a stage after training belongs to. */
export function stageLabel(spec: StageSpec, method?: string, run = spec.seed): string {
  const { kind, seed } = spec
  if (kind === 'train') {
    const left = spec.without?.kind === 'class' ? ` without class ${spec.without.label}` : ''
    const split = spec.splitSeed === undefined ? '' : `, split ${spec.splitSeed}`
    return `train ${spec.without ? 'retrain' : 'original'}${spec.draws ? ` ${spec.draws}` : ''}${left}, seed ${seed}${split}`
  }
  const part = 'request' in spec && spec.request.kind === 'class' ? `, class ${spec.request.label}` : ''
  const what = kind === 'unlearn' ? `unlearn by ${method ?? spec.method.id}` : kind + (method ? ` ${method}` : '')
  return `${what}${part}, seed ${run}`
}

/** Of a dataset that is not shipped. */
const UNKNOWN = { train: 10_000, classes: { length: 10 } }

/** Beside a step on an image, forward and backward, an answer costs a third. */
const FORWARD = 1 / 3

/** In images trained on, whatever the model. */
export function amountOf(spec: StageSpec): number {
  const { train: images, classes } = picturedOf(spec.dataset) ?? UNKNOWN
  if ('recipe' in spec) return spec.recipe.epochs * images
  if (spec.kind === 'sample') return (taskNamed(spec.task).answersOf?.(spec.part, classes.length) ?? images) * FORWARD
  if (spec.kind !== 'unlearn') return images * FORWARD
  const { epochs, steps, batchSize } = spec.method.params
  if (typeof steps === 'number' && typeof batchSize === 'number') return steps * batchSize
  return (typeof epochs === 'number' ? epochs : 1) * images
}

/** The work of each stage, by its key. */
export async function workOf(stages: Iterable<{ key: string; spec: StageSpec }>): Promise<Map<string, Work>> {
  const works = [...stages].map(async ({ key, spec }): Promise<[string, Work]> => {
    return [key, { like: await likenessOf(spec), amount: amountOf(spec) }]
  })
  return new Map(await Promise.all(works))
}
