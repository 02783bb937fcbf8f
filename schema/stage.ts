/** Stages: the units of work, each identified by the hash of everything that determines its result. */
import type { z } from 'zod'
import { canonicalJson, sha256Hex } from './parts/hash.ts'
import { type StageKey, type StageSpec, stageShape } from './parts/stage-shape.ts'
import { checked, taskNamed, tasks, unknownTask } from './task.ts'

export {
  type Every,
  every,
  type StageKey,
  type StageKind,
  type StageOf,
  type StageSpec,
  seed,
  stageKey,
  stageKinds,
} from './parts/stage-shape.ts'

/** A stage whose part is what its task says that it is. */
export const stageSpec = stageShape.check((context) => {
  const { task: id, kind, part } = context.value
  const task = tasks.get(id)
  const schema = task?.stages[kind]
  if (schema) context.value = { ...context.value, part: checked(context, schema, part, ['part']) as typeof part }
  else {
    const message = task ? `the task ${id} has no stage "${kind}"` : unknownTask(id)
    context.issues.push({ code: 'custom', message, input: id, path: ['task'] })
  }
}) as z.ZodType<StageSpec>

/** Keys of the stages whose artifacts a stage reads. */
export const inputsOf = ({ inputs }: StageSpec): StageKey[] => Object.values(inputs)

/** SHA-256 of the canonical spec and its task's engine version; the spec holds the keys of its inputs, so keys chain. */
export async function stageKeyOf(spec: StageSpec): Promise<StageKey> {
  return await sha256Hex(canonicalJson({ engine: taskNamed(spec.task).engine, ...stageSpec.parse(spec) }))
}
