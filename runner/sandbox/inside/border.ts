/** The one way out of the sandbox: asks the host for a verb, at once or by a promise. */
import { type Numbers, pack, unpack } from './packing.ts'

/** What the host gave, and how it is called. */
export interface Border {
  /** The answer of a verb that is done at once. */
  ask(verb: string, given?: unknown): unknown
  /** The answer of a verb that computes. */
  compute(verb: string, given?: unknown): Promise<unknown>
  /** Settles what was asked for by that number. */
  settle(call: number, json: string, ...buffers: ArrayBuffer[]): void
  /** Keeps functions that the host calls while a verb computes; gives their number. */
  lend(functions: Record<string, Callback>): number
  invoke(lent: number, name: string, json: string, ...buffers: ArrayBuffer[]): unknown
}

export type Callback = (...given: unknown[]) => unknown

/** Words, then arrays. */
export type Answer = [json: string, ...buffers: ArrayBufferLike[]]
export type Host = (verb: string, json: string, ...buffers: ArrayBufferLike[]) => Answer

/** An argument that the host refused. */
class ArgumentError extends Error {
  override name = 'ArgumentError'
}

/** The bytes of an array by themselves, since it may be a part of a longer one. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): ArrayBufferLike =>
  byteOffset === 0 && byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)

export function answerOf(value: unknown): Answer {
  const { json, arrays } = pack(value)
  return [json, ...arrays.map(bytesOf)]
}

/** Copies arrays once more: what the host allocated is not counted as the method's memory. */
export const valueIn = ([json, ...buffers]: Answer): unknown =>
  unpack({ json, buffers: buffers.map((buffer) => buffer.slice(0) as ArrayBuffer) })

export function borderOf(host: Host): Border {
  const waiting = new Map<number, (value: unknown) => void>()
  const lent: Record<string, Callback>[] = []
  function request(verb: string, given: unknown): { value?: unknown; call?: number } {
    const { fault, ...answer } = valueIn(host(verb, ...answerOf(given))) as { fault?: string }
    if (fault !== undefined) throw new ArgumentError(fault)
    return answer
  }
  return {
    ask: (verb, given) => request(verb, given).value,
    async compute(verb, given) {
      const { stack: at } = new Error(verb)
      const { call } = request(verb, { at, given })
      return await new Promise((resolve) => waiting.set(call!, resolve))
    },
    settle(call, ...answer) {
      waiting.get(call)?.(valueIn(answer))
      waiting.delete(call)
    },
    lend: (functions) => lent.push(functions) - 1,
    invoke: (number, name, ...answer) => lent[number]![name]!(...(valueIn(answer) as unknown[])),
  }
}
