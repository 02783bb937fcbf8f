/** Takes what a reader knows out of a file of arrays, and refuses what is missing, of another kind or not known. Pure. */
import type { Arrays } from './arrays.ts'
import { type Labels, labelsIn } from './labels.ts'
import { ArraysError, isFloat } from './numbers.ts'

export interface Picker {
  has(name: string): boolean
  /** [rows, columns] in single precision. */
  floats(name: string, columns?: number): { data: Float32Array; rows: number; columns: number }
  /** In double precision, of that shape where the file has it in any. */
  doubles(name: string): { data: Float64Array; shape: number[] }
  /** A class an example. */
  labels(name: string, count?: number): Labels
  text(name: string): string | null
  /** A whole number from 0. */
  whole(name: string): number | null
}

/** `known` are names with dots, as `forget.logits`; `forget_logits` is read as well, since Python's keywords have none. */
export function pickFrom({ arrays, facts }: Arrays, known: readonly string[]): Picker {
  const dotted = (name: string) => known.find((each) => each === name || each.replaceAll('.', '_') === name)
  const byName = <Value>(map: ReadonlyMap<string, Value>) =>
    new Map(Array.from(map, ([name, value]): [string, Value] => [dotted(name) ?? name, value]))
  const [own, said] = [byName(arrays), byName(facts)]
  const strange = [...own.keys()].find((name) => !known.includes(name))
  if (strange !== undefined) throw new ArraysError(`expected arrays of ${known.join(', ')}, got "${strange}"`)

  const arrayOf = (name: string) => {
    const found = own.get(name)
    if (!found)
      throw new ArraysError(`expected ${name}, got none; there are ${[...own.keys()].join(', ') || 'no arrays'}`)
    return found
  }
  const shown = (shape: number[]) => `[${shape.join(', ')}]`
  const floating = (name: string) => {
    const { data, shape, type } = arrayOf(name)
    if (!isFloat(data)) throw new ArraysError(`${name}: expected floating-point numbers, got ${type}`)
    return { data, shape }
  }
  return {
    has: (name) => own.has(name),
    floats(name, expected) {
      const { data, shape } = floating(name)
      const [rows, columns] = shape
      if (shape.length !== 2 || (expected !== undefined && columns !== expected)) {
        throw new ArraysError(`${name}: expected the shape [n, ${expected ?? 'd'}], got ${shown(shape)}`)
      }
      return { data: data instanceof Float32Array ? data : Float32Array.from(data), rows: rows!, columns: columns! }
    },
    doubles(name) {
      const { data, shape } = floating(name)
      return { data: data instanceof Float64Array ? data : Float64Array.from(data), shape }
    },
    labels(name, count) {
      const { data, shape, type } = arrayOf(name)
      if (isFloat(data)) throw new ArraysError(`${name}: expected whole numbers, got ${type}`)
      if (shape.length !== 1 || (count !== undefined && shape[0] !== count)) {
        throw new ArraysError(`${name}: expected the shape [${count ?? 'n'}], a label an example, got ${shown(shape)}`)
      }
      return labelsIn(data, (expected, label, example) => {
        throw new ArraysError(`${name}: expected labels ${expected}, got ${label} (example ${example})`)
      })
    },
    text: (name) => said.get(name) ?? null,
    whole(name) {
      const text = said.get(name)
      if (text === undefined) return null
      if (/^\d{1,6}$/.test(text)) return Number(text)
      throw new ArraysError(`${name}: expected a whole number from 0, got "${text}"`)
    },
  }
}
