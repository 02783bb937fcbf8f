/** A method's file as it came, and as JavaScript. */
import * as nodeModule from 'node:module'
import { basename } from 'node:path'
import { sha256Hex } from '../../schema/parts/hash.ts'
import { MethodFault } from './fault.ts'
import { LIMITS } from './limits.ts'

export interface MethodSource {
  /** Its base name, which errors name. */
  file: string
  /** Such as `file:my-method.ts`. */
  id: string
  text: string
  sha256: string
}

/** Before the name of a file, in the ids of methods that are one. */
export const FILE = 'file:'

/** The file that such an id names. */
export const fileOf = (id: string): string => id.slice(FILE.length)

const NAME = /^[a-z0-9][a-z0-9-]{0,39}\.(ts|js)$/

/** Throws MethodFault for what can't be the file of a method. */
export async function sourceOf(path: string, bytes: Uint8Array): Promise<MethodSource> {
  const file = basename(path)
  if (!NAME.test(file))
    throw wrong(file, 'expected a name of small letters, digits and hyphens with .ts or .js, such as my-method.ts')
  if (bytes.length > LIMITS.sourceBytes)
    throw wrong(file, `expected at most ${LIMITS.sourceBytes} bytes, got ${bytes.length}`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw wrong(file, 'expected text in UTF-8, got other bytes; save it as UTF-8')
  }
  if (text.includes('\0')) throw wrong(file, 'expected text, got a zero byte')
  return { file, id: `${FILE}${file}`, text, sha256: await sha256Hex(text) }
}

/** Types blanked out, so that lines and columns stay. By Node itself: a parser of our own would be one more to keep. */
export function javaScriptOf({ file, text }: Pick<MethodSource, 'file' | 'text'>): string {
  if (file.endsWith('.js')) return text
  try {
    return stripTypes(text)
  } catch (error) {
    const { message, code, stack } = error as NodeJS.ErrnoException
    if (!code?.endsWith('TYPESCRIPT_SYNTAX')) throw error
    const advice = code.includes('UNSUPPORTED') ? '; a method may use types, but nothing of TypeScript that runs' : ''
    throw wrong(`${file}${placeOf(stack)}`, `${message}${advice}`)
  }
}

/** Node writes `:line`, lines up to that one, and carets under the place. */
function placeOf(stack = ''): string {
  const [line = '', ...rest] = stack.split('\n')
  const carets = rest.find((text) => /^\s*\^+\s*$/.test(text)) ?? ''
  return /^:\d+$/.test(line) ? `${line}:${carets.indexOf('^') + 1}` : ''
}

/** Throws where Node is older than 22.13. Without Node's warning that this is experimental, which would be said for each method. */
export function stripTypes(text: string): string {
  // Looked up, since an older Node refuses to import what it has not.
  const { stripTypeScriptTypes } = nodeModule
  if (typeof stripTypeScriptTypes !== 'function')
    throw new Error(`methods of one file need Node 22.13 or newer, but this is ${process.version}`)
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(text)
  } finally {
    process.emitWarning = emitWarning
  }
}

const wrong = (file: string, what: string) => new MethodFault('source', `${file}: ${what}`)
