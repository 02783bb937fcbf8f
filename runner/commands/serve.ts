/** `palimpsest serve`: the worker on this machine, its state kept in the home folder. */

import { startLocalServer } from '../server/local.ts'
import { tokensPath } from '../server/tokens.ts'
import { troubleInLog } from '../server/trouble.ts'
import { openHome } from '../store/home.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { wholeNumber } from './parts/arguments.ts'
import { type Command, DEFAULT_PORT, help, homeOption } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options {
  port: number
  home?: string
  json?: boolean
}

export const serve: Command = {
  group: 'Servers and runners',
  add: (program) =>
    program
      .command('serve')
      .description('serve boards, API and queue on this machine')
      .option(
        '--port <n>',
        'port of 127.0.0.1; 0 takes a free one',
        wholeNumber('port', { min: 0, max: 65_535 }),
        DEFAULT_PORT,
      )
      .option(...homeOption)
      .option('--json', 'the address and the files as JSON')
      .addHelpText('after', help(['palimpsest serve', 'palimpsest serve --port 9000 --home /srv/palimpsest']))
      .action(execute),
}

async function execute({ port, home: option, json }: Options): Promise<void> {
  const home = await openHome(option)
  const { signal, release } = onInterrupts()
  note('Starting the worker ...')
  const server = await startLocalServer({ home, port, signal })
  const { url, log } = server
  try {
    if (json) printJson({ url, tokens: tokensPath(home), log })
    else print(url)
    note(`Admin and submitter tokens: ${tokensPath(home)} (readable by you only). Output: ${log}`)
    note(`A runner beside it: palimpsest runner --server ${url} --home ${home}`)
    note('Ctrl-C stops.')
    await untilStopped(server.ended, signal, { log, home })
  } finally {
    await server.stop()
    release()
  }
}

/** Until Ctrl-C, which is a good end; a worker that ends by itself is not. */
export async function untilStopped(
  ended: Promise<void>,
  signal: AbortSignal,
  { log, home }: { log: string; home: string },
): Promise<void> {
  const stopped = Promise.withResolvers<'stopped'>()
  if (signal.aborted) stopped.resolve('stopped')
  signal.addEventListener('abort', () => stopped.resolve('stopped'), { once: true })
  if ((await Promise.race([stopped.promise, ended])) !== 'stopped') {
    const trouble = await troubleInLog(log, home)
    throw new Error(trouble ?? `the worker ended by itself; its last words are in ${log}`)
  }
}
