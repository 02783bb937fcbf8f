/** How values cross the border of the sandbox, in both directions: as one text of JSON, and typed arrays by copy. Runs on both
 *  sides, and believes neither: what comes out is plain data that its reader still has to check. */

const kinds = { Int32Array, Uint8Array, Float32Array, Float64Array }
type Kind = keyof typeof kinds
export type Numbers = Int32Array | Uint8Array | Float32Array | Float64Array

export interface Packed {
  json: string
  arrays: Numbers[]
}

/** Of objects within each other: a batch in a term in a list of terms is four deep. */
const DEPTH = 12

const kindOf = (value: object): Kind | undefined =>
  (Object.keys(kinds) as Kind[]).find((kind) => value instanceof kinds[kind])

/** Throws TypeError for what is no data. */
export function pack(value: unknown): Packed {
  const arrays: Numbers[] = []
  const plain = (part: unknown, depth: number): unknown => {
    if (depth > DEPTH) throw new TypeError(`expected plain data, got objects that lie more than ${DEPTH} deep`)
    if (typeof part === 'number') return Number.isFinite(part) && !Object.is(part, -0) ? part : special(part)
    if (part === null || part === undefined || typeof part === 'string' || typeof part === 'boolean') return part
    if (typeof part !== 'object') throw new TypeError(`expected plain data, got a ${typeof part}`)
    const kind = kindOf(part)
    if (kind) return { $array: arrays.push(part as Numbers) - 1, kind }
    if (part instanceof Map) return { $map: [...part].map((entry) => plain(entry, depth + 1)) }
    if (Array.isArray(part)) return part.map((entry) => plain(entry, depth + 1))
    return Object.fromEntries(Object.entries(part).map(([name, entry]) => [name, plain(entry, depth + 1)]))
  }
  const json = JSON.stringify(plain(value, 0)) ?? 'null'
  return { json, arrays }
}

/** Numbers that JSON has no word for. */
const special = (number: number) => ({ $number: Object.is(number, -0) ? '-0' : String(number) })

interface Marked {
  $array?: unknown
  kind?: unknown
  $map?: unknown
  $number?: unknown
}

/** Throws TypeError or RangeError for what nothing was packed as. */
export function unpack({ json, buffers }: { json: string; buffers: readonly ArrayBuffer[] }): unknown {
  const whole = (part: unknown, depth: number): unknown => {
    if (depth > 2 * DEPTH) throw new TypeError('expected packed data, got objects that lie too deep')
    if (typeof part !== 'object' || part === null) return part
    if (Array.isArray(part)) return part.map((entry) => whole(entry, depth + 1))
    const { $array, kind, $map, $number } = part as Marked
    if (typeof $number === 'string') return Number($number)
    if ($array !== undefined) {
      const buffer = buffers[$array as number]
      if (!buffer || !Object.hasOwn(kinds, kind as string)) throw new TypeError('expected an array that came along')
      return new kinds[kind as Kind](buffer)
    }
    if (Array.isArray($map)) return new Map($map.map((entry) => whole(entry, depth + 1) as [unknown, unknown]))
    return Object.fromEntries(Object.entries(part).map(([name, entry]) => [name, whole(entry, depth + 1)]))
  }
  return whole(JSON.parse(json), 0)
}
