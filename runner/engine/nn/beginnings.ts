/** An exported network that begins anew, or with the weights of another file. */
import { addInput, newGraph } from '../onnx/graph.ts'
import { opsFor } from '../onnx/ops.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { type Beginning, beginningsOf } from '../reading/initializers.ts'
import type { ExportedModel } from '../reading/read.ts'
import { filled, normalOf, uniformFanIn } from './layers.ts'
import type { Network } from './network.ts'
import { declareValues, type Initializer, type Variable } from './variables.ts'

/** Of every parameter and buffer, by name. */
export function beginningsOfModel({ inputShape, parameters, buffers, forward }: ExportedModel): Map<string, Beginning> {
  const graph = newGraph()
  const tensors = weightsOf({ parameters, buffers })
  const values = declareValues(
    graph,
    [...tensors].map(([name, { shape }]) => ({ name, shape })),
  )
  forward(opsFor(graph), addInput(graph, 'x', 'float32', [2, ...inputShape]), values)
  return beginningsOf(graph, values, tensors)
}

/** The network with fresh variables. Throws, in a sentence, for one that no rule is known for. */
export function begunAnew<N extends Network & { model: ExportedModel }>(network: N): N {
  const beginnings = beginningsOfModel(network.model)
  return withInits(network, (variable) => initializerOf(variable, beginnings.get(variable.name)!))
}

/** The network with the variables of another one of the same names and shapes. Throws, in a sentence, for one of others. */
export function begunWith<N extends Network>(network: N, other: Network): N {
  const given = new Map([...other.parameters, ...other.buffers].map((variable) => [variable.name, variable]))
  return withInits(network, ({ name, shape }) => {
    const found = given.get(name)
    if (found?.shape.join() === shape.join()) return found.init
    const came = found ? `[${found.shape}]` : 'none of that name'
    throw new Error(`expected ${name} as [${shape}], as the model has it, got ${came}; export it with the same layers`)
  })
}

function withInits<N extends Network>(network: N, initOf: (variable: Variable) => Initializer): N {
  const next = (variable: Variable): Variable => ({ ...variable, init: initOf(variable) })
  return { ...network, parameters: network.parameters.map(next), buffers: network.buffers.map(next) }
}

function initializerOf({ name, init }: Variable, beginning: Beginning): Initializer {
  switch (beginning.kind) {
    case 'uniform': {
      const { fanIn, moment } = beginning
      return uniformFanIn(moment === undefined ? fanIn : (fanIn * moment) / 3)
    }
    case 'normal':
      return normalOf(beginning.deviation)
    case 'constant':
      return filled(beginning.value)
    case 'kept':
      return init
    case 'unknown':
      throw new Error(
        `no rule says how ${name} begins anew: ${beginning.why}; name it under "freeze", or say what the file's weights are by "weights"`,
      )
  }
}

/** Values of the variables as their file has them. */
export const weightsOf = ({
  parameters,
  buffers,
}: Pick<ExportedModel, 'parameters' | 'buffers'>): Map<string, Tensor> => new Map([...parameters, ...buffers])
