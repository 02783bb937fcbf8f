/** What each tensor of a file is: a parameter, a buffer, or a constant. */
import type { Tensor } from '../onnx/tensor.ts'
import type { FileModel } from './file-model.ts'

/** Inputs that set a shape or a bound, so that a float given there is no weight. */
const SETTINGS: Record<string, number[]> = { Resize: [1, 2], Clip: [1, 2], Pad: [2], Dropout: [1] }

const ARITHMETIC = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Where']

/** Tells trained tensors from constants: float tensors are parameters, but for single numbers in arithmetic; the statistics of
 *  batch norm are buffers. Arithmetic that meets the images before any parameter is preprocessing and stays constant.
 *  A buffer that two batch norms share, since they were equal on export, becomes two. */
export function rolesOf({ nodes, constants }: FileModel, input: string) {
  const parameters = new Map<string, Tensor>()
  const buffers = new Map<string, Tensor>()
  const seen = new Set([input])
  const learned = new Set<string>()
  for (const node of nodes) {
    const { op, name, inputs, outputs } = node
    const arithmetic = ARITHMETIC.includes(op)
    const onRawImages = inputs.some((own) => seen.has(own) && !learned.has(own))
    inputs.forEach((own, index) => {
      const content = constants.get(own)
      if (!content || SETTINGS[op]?.includes(index)) return
      if (op === 'BatchNormalization' && index > 2) {
        inputs[index] = buffers.has(own) ? `${own} of ${name}` : own
        buffers.set(inputs[index], content)
      } else if (content.type === 'float32' && !(arithmetic && (onRawImages || content.data.length === 1))) {
        parameters.set(own, content)
      }
    })
    if (inputs.some((own) => seen.has(own))) for (const output of outputs) seen.add(output)
    if (inputs.some((own) => learned.has(own) || parameters.has(own))) for (const output of outputs) learned.add(output)
  }
  return { parameters, buffers }
}
