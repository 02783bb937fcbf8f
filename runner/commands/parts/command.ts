/** The contract of commands/: one command a file, exported under the file's name. Each adds itself to the program; its action throws
 *  UsageError for wrong input, Interrupted when stopped, anything else when it failed. */
import type { Command as Program } from 'commander'
import { UsageError } from '../../words/usage.ts'

/** Headings of `--help`, in its order. */
export const groups = ['First', 'On this machine', 'At a server', 'Servers and runners'] as const

export interface Command {
  group: (typeof groups)[number]
  /** Gives what was added. */
  add(program: Program): Program
}

/** Shown under `--help`: examples, then what else is to be said. */
export const help = (examples: string[], words = ''): string =>
  ['', 'Examples:', ...examples.map((line) => `  $ ${line}`), ...(words ? ['', words] : [])].join('\n')

export const homeOption = [
  '--home <dir>',
  'where Palimpsest keeps its files (PALIMPSEST_HOME, else .palimpsest)',
] as const
export const serverOption = ['--server <url>', 'the server (PALIMPSEST_SERVER, else http://127.0.0.1:8787)'] as const
export const nameOption = ['--name <name>', "at its first start: shown beside its jobs (else the host's name)"] as const
export const threadsOption = [
  '--threads <n>',
  'threads of onnxruntime, which results depend on; 0 for one a processor that may be used',
] as const
export const dataOption = [
  '--data <dir>',
  'a folder with files of datasets and models, before the cache (repeatable; also PALIMPSEST_DATA)',
] as const

export const DEFAULT_PORT = 8787

/** Its address, without a slash at the end. */
export function serverOf(option: string | undefined): string {
  const server = option ?? (process.env.PALIMPSEST_SERVER || `http://127.0.0.1:${DEFAULT_PORT}`)
  const url = URL.parse(server)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return server.replace(/\/+$/, '')
  throw new UsageError(`--server: expected an address such as https://palimpsest.example, got "${server}"`)
}
