/** What a method's file did wrong. */

export type FaultKind =
  | 'source'
  | 'description'
  | 'thrown'
  | 'argument'
  | 'time'
  | 'memory'
  | 'stack'
  | 'calls'
  | 'unsettled'

/** A method of one file broke off, or is none. It says where, by the file's own lines. */
export class MethodFault extends Error {
  override name = 'MethodFault'
  readonly kind: FaultKind
  constructor(kind: FaultKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** What was thrown inside, as words. */
export interface Thrown {
  name: string
  message: string
  stack: string
}

/** The innermost place in a file that a stack names, such as `my-method.ts:12:5`; the file alone where it names none. */
export function placeIn(stack: string | undefined, file: string): string {
  const at = stack?.split('\n').find((line) => line.includes(`${file}:`))
  const [, place] = /(\d+:\d+)\)?\s*$/.exec(at ?? '') ?? []
  return place === undefined ? file : `${file}:${place}`
}

const kinds: Readonly<Record<string, { kind: FaultKind; words: string }>> = {
  'out of memory': { kind: 'memory', words: 'it took more memory than a method may' },
  'stack overflow': { kind: 'stack', words: 'its calls lie too deep in each other' },
}

/** As a fault, in words of the file's own author. */
export function faultOf({ name, message, stack }: Thrown, file: string): MethodFault {
  const place = placeIn(stack, file)
  const known = kinds[message]
  if (known && name !== 'Error') return new MethodFault(known.kind, `${place}: ${known.words}`)
  if (name === 'ArgumentError') return new MethodFault('argument', `${place}: ${message}`)
  const kind = name === 'SyntaxError' ? 'source' : 'thrown'
  return new MethodFault(
    kind,
    `${place}: ${['', 'Error'].includes(name) ? '' : `${name}: `}${message || 'an error without words'}`,
  )
}
