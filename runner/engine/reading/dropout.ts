/** Dropout passes its input on: exporters leave it out of models at inference, and its draws could not follow the run's seed. */
import type { Pass } from './file-model.ts'
import { listed } from './refusal.ts'

export const withoutDropout: Pass = (model, { decide }) => {
  const dropped = model.nodes.filter(({ op }) => op === 'Dropout')
  if (dropped.length === 0) return model
  decide(`Dropout (${listed(dropped.map(({ name }) => name))}) passes its input on, in training too`)
  const nodes = model.nodes.map((node) =>
    node.op === 'Dropout'
      ? { ...node, op: 'Identity', inputs: node.inputs.slice(0, 1), outputs: node.outputs.slice(0, 1), attributes: {} }
      : node,
  )
  return { ...model, nodes }
}
