/** Values of all parameters: gradients, importances, changes; and the one flat vector that they make. */

/** The artifact of a model: parameters and buffers by name. */
export const WEIGHTS = 'weights.safetensors'
/** The moving average of the weights over a training, where one was kept. */
export const AVERAGE = 'average.safetensors'

/** One number per entry of every parameter tensor, by parameter name, in the order of the parameters. */
export type Weights = ReadonlyMap<string, Float32Array>

/** A parameter as methods see it. */
export interface Parameter {
  name: string
  shape: readonly number[]
  size: number
}

/** All values end to end, in the order of the parameters. */
export function flatten(weights: Weights): Float32Array {
  const flat = new Float32Array([...weights.values()].reduce((total, { length }) => total + length, 0))
  let offset = 0
  for (const values of weights.values()) {
    flat.set(values, offset)
    offset += values.length
  }
  return flat
}

/** Cuts a flat array over all parameters into one part for each. */
export function unflatten<T extends Uint8Array | Float32Array>(
  parameters: readonly Pick<Parameter, 'name' | 'size'>[],
  flat: T,
): Map<string, T> {
  let offset = 0
  return new Map(
    parameters.map(({ name, size }) => {
      const part = flat.subarray(offset, offset + size) as T
      offset += size
      return [name, part]
    }),
  )
}
