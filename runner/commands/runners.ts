/** `palimpsest runners`: an admin's view of a server's runners, and what an admin does to them. */
import type { Command as Program } from 'commander'
import type { Runner } from '../../schema/api/runner.ts'
import { label } from '../../schema/requirements.ts'
import type { Api } from '../agent/api.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { noSuch } from '../words/nearest.ts'
import { duration } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { apiAs } from './parts/api-as.ts'
import { wholeNumber } from './parts/arguments.ts'
import { type Command, help, homeOption, serverOption } from './parts/command.ts'

interface Options {
  server?: string
  tokenFile?: string
  home?: string
  json?: boolean
}

const common = (command: Program): Program =>
  command
    .option(...serverOption)
    .option('--token-file <file>', "file with an admin token (PALIMPSEST_TOKEN, else the home's tokens.json)")
    .option(...homeOption)
    .option('--json', 'as JSON')

export const runners: Command = {
  group: 'Servers and runners',
  add: (program) => {
    const group = program
      .command('runners')
      .description("list, label, pause, drain and revoke a server's runners, and invite new ones (for admins)")
      .addHelpText(
        'after',
        help(
          [
            'palimpsest runners list',
            'palimpsest runners invite --labels gpu,lab-1 > secret.txt',
            'palimpsest runners drain lab-1',
            'palimpsest runners label rnr_0123456789abcdef gpu,a100',
          ],
          'A runner is named by its id, or by its name where no other has it.',
        ),
      )
    // The default command is handed the word of a command that there is not.
    common(group.command('list', { isDefault: true }).description('all runners'))
      .allowExcessArguments()
      .action((options: Options, { args: [word] }: Program) => {
        const known = group.commands.map((command) => command.name())
        if (word !== undefined) throw new UsageError(noSuch('command of runners', word, known))
        return list(options)
      })
    common(group.command('invite').description('make a one-time enrolment secret; it is printed on stdout'))
      .option('--labels <list>', 'labels of the runner that enrols with it, such as gpu,lab-1', '')
      .option('--hours <n>', 'how long the secret works', wholeNumber('hours', { min: 1, max: 720 }), 1)
      .action(invite)
    common(
      group.command('label <runner> <labels>').description('set its labels, such as gpu,lab-1; "" takes all away'),
    ).action((who: string, words: string, options: Options) =>
      change(who, options, { labels: labelsFrom(words) }, 'labelled'),
    )
    common(group.command('pause <runner>').description('no new jobs until it is resumed; its job goes on')).action(
      (who: string, options: Options) => change(who, options, { state: 'paused' }, 'paused'),
    )
    common(group.command('drain <runner>').description('no new jobs; it ends by itself once idle')).action(
      (who: string, options: Options) => change(who, options, { state: 'draining' }, 'draining'),
    )
    common(group.command('resume <runner>').description('jobs again')).action((who: string, options: Options) =>
      change(who, options, { state: 'active' }, 'active'),
    )
    common(
      group
        .command('revoke <runner>')
        .description('refuse it for good; its job goes back to the queue, and its results count no more')
        .option('--reason <text>', 'why its results count no more; everybody reads it')
        .option('--keep-results', 'they stay: for a machine that merely retires'),
    ).action(async (who: string, options: Options & { reason?: string; keepResults?: boolean }) => {
      const { reason, keepResults } = options
      const api = await asAdmin(options)
      const query = { results: keepResults ? ('keep' as const) : ('set-aside' as const), ...(reason && { reason }) }
      tell(await api.revokeRunner((await find(api, who)).id, query), options, 'revoked')
    })
    return group
  },
}

const asAdmin = (options: Options): Promise<Api> => apiAs('admin', options)

async function list(options: Options): Promise<void> {
  const found = await (await asAdmin(options)).runners()
  if (options.json) return printJson(found)
  if (found.length === 0) return note('No runner has enrolled yet; palimpsest runners invite makes the secret for one.')
  for (const { name, pauseReason } of found) {
    if (pauseReason !== null)
      note(`${name} was paused by the server: ${pauseReason}; when it is mended: palimpsest runners resume ${name}`)
  }
  const rows = found.map(({ id, name, state, labels, probe, lastSeenAt, jobs }) => [
    id,
    name,
    state,
    jobs.length > 0 ? `works on ${jobs.map((key) => key.slice(0, 12)).join(', ')}` : '',
    labels.join(', '),
    probe?.device.deviceClass ?? '',
    lastSeenAt === null ? 'never' : `${duration((Date.now() - Date.parse(lastSeenAt)) / 1000)} ago`,
  ])
  const titles = ['Id', 'Name', 'State', 'Job', 'Labels', 'Device', 'Last seen']
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
  ))
    print(line)
}

async function invite(options: Options & { labels: string; hours: number }): Promise<void> {
  const labels = labelsFrom(options.labels)
  const api = await asAdmin(options)
  const created = await api.createEnrolment({ labels, expiresInSeconds: options.hours * 3600 })
  if (options.json) printJson(created)
  else print(created.secret)
  note(`For one machine, until ${created.expiresAt}; it is not shown again. There:`)
  note(`  PALIMPSEST_ENROLMENT=... palimpsest runner --server ${api.server}`)
}

async function change(who: string, options: Options, body: Parameters<Api['changeRunner']>[1], word: string) {
  const api = await asAdmin(options)
  tell(await api.changeRunner((await find(api, who)).id, body), options, word)
}

function tell(runner: Runner, { json }: Options, word: string): void {
  if (json) printJson(runner)
  const labels = runner.labels.length > 0 ? `; labels ${runner.labels.join(', ')}` : '; no labels'
  note(`${runner.name} (${runner.id}): ${word}${word === 'labelled' ? labels : ''}`)
}

async function find(api: Api, who: string): Promise<Runner> {
  const all = await api.runners()
  const found = all.filter(({ id, name }) => id === who || name === who)
  const alive = found.filter(({ state }) => state !== 'revoked')
  const [first, second] = alive.length > 0 ? alive : found
  if (first && !second) return first
  if (first)
    throw new UsageError(
      `several runners are called "${who}": give an id, one of ${alive.map(({ id }) => id).join(', ')}`,
    )
  throw new UsageError(
    `no runner "${who}"; known: ${all.map(({ id, name }) => `${name} (${id})`).join(', ') || 'none'}`,
  )
}

function labelsFrom(text: string): string[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)
  for (const word of words) {
    const { error } = label.safeParse(word)
    if (error) throw new UsageError(`label "${word}": ${error.issues[0]?.message}`)
  }
  return words
}
