/** Rules that compute entry by entry, with numpy's broadcasting. */
import { at } from '../onnx/arity.ts'
import { broadcastShapes } from '../onnx/geometry.ts'
import { type ElementType, numbersOf, type Shape, type Tensor } from '../onnx/tensor.ts'
import { type Entry, type Fold, isFloat, made, stridesOf, walk } from './rule.ts'

/** What is computed of floats, and what of integers and flags. */
export interface Formulas {
  real?: (...entries: number[]) => number | boolean
  whole?: (...entries: bigint[]) => bigint | boolean
}

/** For each entry of `shape`, the entry of a tensor of shape `own` that broadcasting pairs it with. */
export function broadcastPlaces(own: Shape, shape: Shape): number[] {
  const extra = shape.length - own.length
  const strides = stridesOf(own)
  return walk(shape, (axis, index) => (axis < extra || own[axis - extra] === 1 ? 0 : index * at(strides, axis - extra)))
}

const bigints = ({ data }: Tensor): bigint[] => Array.from(data as Iterable<number | bigint>, BigInt)
const entryOf = (result: Entry | boolean): Entry => (typeof result === 'boolean' ? Number(result) : result)

/** A rule by formulas; the inputs are of one type, and so is the result unless `type` says another. */
export const entrywise =
  ({ real, whole }: Formulas, type?: ElementType): Fold =>
  ({ node, x }) => {
    const shape = broadcastShapes(...x.map((input) => input.shape))
    const places = x.map((input) => broadcastPlaces(input.shape, shape))
    const computed = <T extends Entry>(formula: (...entries: T[]) => Entry | boolean, columns: T[][]) =>
      made(type ?? x[0].type, shape, (i) =>
        entryOf(formula(...columns.map((column, k) => at(column, at(at(places, k), i))))),
      )
    if (isFloat(x[0].type) && real) return [computed(real, x.map(numbersOf))]
    if (!isFloat(x[0].type) && whole) return [computed(whole, x.map(bigints))]
    throw new Error(`no folding of ${node.op} for ${x[0].type}`)
  }
