/** Which tensor of a file holds the logits. */
import { batchOf, shapeIn } from './build.ts'
import { namesNear } from './evidence.ts'
import type { FileModel, Pass } from './file-model.ts'
import { prunedTo } from './prune.ts'
import { listed, shown } from './refusal.ts'

/** Takes the output that was asked for, which may be any tensor; else the only one, or the only one of shape [batch, classes]. */
export const withOneOutput: Pass = (model, { options, decide }) => {
  const { outputs } = model
  const asked = options.output
  if (asked !== undefined) {
    const made = model.nodes.flatMap((node) => node.outputs)
    if (!made.includes(asked))
      throw new Error(
        `expected the name of an output or of another tensor that the model computes, got ${shown(asked)}; its outputs are ${listed(outputs)}${near(asked, made)}`,
      )
    if (outputs.length > 1 || outputs[0] !== asked) decide(`the logits are read from ${shown(asked)}, as asked`)
    return { ...model, outputs: [asked] }
  }
  if (outputs.length < 2) return model
  const found = outputs.map((name) => ({ name, ...looked(model, name) }))
  const candidates = found.filter(({ fits }) => fits)
  const [only, ...more] = candidates
  const shapes = (list: typeof found) => listed(list.map(({ name, says }) => `${shown(name)} ${says}`))
  if (!only)
    throw new Error(
      `expected an output of shape [batch, classes], the logits; the model has ${shapes(found)}; name one with --output NAME`,
    )
  if (more.length > 0)
    throw new Error(
      `the model has ${candidates.length} outputs that may be the logits: ${shapes(candidates)}; name one with --output NAME`,
    )
  decide(
    `of the outputs ${listed(outputs)} the logits are read from ${shown(only.name)}, the only one of shape [batch, classes]; --output NAME chooses another`,
  )
  return { ...model, outputs: [only.name] }
}

const near = (wrong: string, names: readonly string[]) => {
  const found = namesNear(wrong, names).map(shown)
  return found.length > 0 ? `, and near that name are ${found.join(', ')}` : ''
}

/** Whether an output may hold logits, and what it is. */
function looked(model: FileModel, name: string): { fits: boolean; says: string } {
  try {
    const own = prunedTo(model, name)
    const batch = batchOf(own)
    const { type, shape } = shapeIn(own, name, batch)
    const [examples, classes = 0, ...rest] = shape
    const fits = type.startsWith('float') && examples === batch && classes > 1 && rest.every((extent) => extent === 1)
    return { fits, says: `(${type} [${shape}])` }
  } catch (error) {
    return { fits: false, says: `(${(error as Error).message})` }
  }
}
