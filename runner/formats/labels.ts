/** Classes of examples. They are bytes wherever those suffice, so that files and keys of small datasets stay as they were; beyond 256
 *  classes they take two bytes in memory, and I32 in files, which safetensors has no smaller type for that others read. Pure. */
import type { Numbers } from './numbers.ts'
import type { Tensor } from './safetensors.ts'

export type Labels = Uint8Array | Uint16Array

/** What is tried: ImageNet has that many. */
export const MAX_CLASSES = 1_000

/** How many classes a byte tells apart. */
const BYTES = 256

/** The type of labels in a file of a dataset with so many classes. */
export const labelType = (classes: number): 'U8' | 'I32' => (classes <= BYTES ? 'U8' : 'I32')

/** Labels of a dataset with so many classes. */
export const labelsFrom = (values: ArrayLike<number>, classes: number): Labels =>
  classes <= BYTES ? Uint8Array.from(values) : Uint16Array.from(values)

/** Those of some examples, of the same width. */
export function labelsOf(labels: Labels, items: ArrayLike<number>): Labels {
  const picked = labels instanceof Uint8Array ? new Uint8Array(items.length) : new Uint16Array(items.length)
  for (let i = 0; i < items.length; i++) picked[i] = labels[items[i]!]!
  return picked
}

/** Of a dataset with so many classes; left out, the width of the labels says it, which is that of their dataset. */
export const labelTensor = (labels: Labels, classes = labels instanceof Uint8Array ? BYTES : MAX_CLASSES): Tensor =>
  labelType(classes) === 'U8'
    ? { dtype: 'U8', shape: [labels.length], data: Uint8Array.from(labels) }
    : { dtype: 'I32', shape: [labels.length], data: Int32Array.from(labels) }

/** Whole numbers of any type as labels, as narrow as they fit; `fail` is told of the first that is no class, and of the largest there
 *  can be. Of how many classes is not always known. */
export function labelsIn(
  data: Exclude<Numbers, Float32Array | Float64Array>,
  fail: (expected: string, label: number | bigint, example: number) => never,
  classes: number = MAX_CLASSES,
): Labels {
  if (data instanceof Uint8Array) return data
  const most = Math.max(classes, BYTES) - 1
  const values = Array.from(data as ArrayLike<number | bigint>, (label, example) =>
    label >= 0 && label <= most ? Number(label) : fail(`from 0 to ${most}`, label, example),
  )
  return labelsFrom(values, values.some((label) => label >= BYTES) ? MAX_CLASSES : BYTES)
}
