/** What the files of a stage must hold, by what it was asked to compute. */
import { weightShapes } from '../../../runner/engine/nn/architectures/weight-shapes.ts'
import { type Asked, SPLIT, type TensorShapes } from '../../../runner/science/task.ts'
import { AVERAGE, WEIGHTS } from '../../../runner/science/weights.ts'
import { picturedOf } from '../../../schema/classes.ts'
import { splitCounts } from '../../../schema/parts/split-counts.ts'
import { PATH } from '../../../schema/path.ts'
import type { StageOf, StageSpec } from '../../../schema/stage.ts'
import { scienceTasks } from '../../http/catalogue.ts'

export interface Expected {
  /** Null where nothing is known of its tensors: an architecture, a dataset or a task of a user's own. `path` for a file of another
   *  kind. */
  tensors: TensorShapes | null | 'path'
  optional?: true
}

/** Null for a dataset that is not known here. */
export function askedOf(stage: StageSpec, inputs: Record<string, StageSpec>): Asked | null {
  const data = picturedOf(stage.dataset)
  return data ? { stage, inputs, data } : null
}

/** By artifact. */
export function expectedOf(stage: StageSpec, asked: Asked | null): Record<string, Expected> {
  if (stage.kind === 'train' || stage.kind === 'unlearn') {
    const tensors = asked && weightsAsked(asked)
    const path = stage.kind === 'unlearn' && stage.every && { [PATH]: { tensors: 'path' } as const }
    return { [WEIGHTS]: { tensors }, [AVERAGE]: { tensors, optional: true }, ...path }
  }
  const science = scienceTasks.get(stage.task)
  const known = asked && science?.leaves?.(asked)
  const split = stage.kind === 'evaluate' && {
    [SPLIT]: { tensors: asked && splitAsked(stage, asked), optional: true } as const,
  }
  if (known)
    return { ...Object.fromEntries(Object.entries(known).map(([name, tensors]) => [name, { tensors }])), ...split }
  const names = stage.kind === 'evaluate' ? (science?.files ?? []) : []
  return { ...Object.fromEntries(names.map((name) => [name, { tensors: null }])), ...split }
}

/** Runners of before leave none. */
function splitAsked({ request, holdOut }: StageOf<'evaluate'>, { data: { train, classes } }: Asked): TensorShapes {
  const { forget, retain } = splitCounts({ train, classes: classes.length }, { holdOut, request })
  return { forget: { dtype: 'I32', shape: [forget] }, retain: { dtype: 'I32', shape: [retain] } }
}

function weightsAsked({ stage: { model }, data }: Asked): TensorShapes | null {
  const images = { channels: data.channels, height: data.size, width: data.size, classes: data.classes.length }
  const shapes = weightShapes(model, images)
  return shapes && Object.fromEntries([...shapes].map(([name, shape]) => [name, { dtype: 'F32', shape }]))
}
