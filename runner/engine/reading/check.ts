/** Every tensor is made once, before it is used. */
import type { FileModel, Pass } from './file-model.ts'
import { shown } from './refusal.ts'

export const checked: Pass = (model) => {
  const made = new Set([...model.inputs.map(({ name }) => name), ...model.constants.keys()])
  const later = new Set(model.nodes.flatMap(({ outputs }) => outputs))
  for (const { op, name, inputs, outputs } of model.nodes) {
    const node = `${shown(op)} (node ${shown(name)})`
    for (const input of inputs) {
      if (!input || made.has(input)) continue
      throw new Error(
        later.has(input)
          ? `${node} uses ${shown(input)} before a node makes it; nodes must stand in an order in which they can run`
          : `${node} uses ${shown(input)}, a tensor that the model doesn't have`,
      )
    }
    for (const output of outputs) {
      if (output && made.has(output)) throw new Error(`${node} makes ${shown(output)}, which the model has already`)
      made.add(output)
    }
  }
  checkOutputs(model, made)
  return model
}

function checkOutputs({ outputs }: FileModel, made: ReadonlySet<string>): void {
  const absent = outputs.find((name) => !made.has(name))
  if (absent !== undefined) throw new Error(`nothing in the model makes its output ${shown(absent)}`)
}
