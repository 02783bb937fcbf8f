/** `palimpsest webhooks`: who is told when runs and submissions end, and what was sent. */
import { type Webhook, type WebhookEvent, type WebhookMessage, webhookEvents } from '../../schema/api/webhook.ts'
import type { Api } from '../agent/api.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { UsageError } from '../words/usage.ts'
import { apiAs } from './parts/api-as.ts'
import { collect } from './parts/arguments.ts'
import { type Command, help, homeOption, serverOption } from './parts/command.ts'

interface Options {
  server?: string
  tokenFile?: string
  home?: string
  json?: boolean
}

export const webhooks: Command = {
  group: 'At a server',
  add: (program) => {
    const group = program
      .command('webhooks')
      .description('be told by HTTP when runs and submissions of yours end')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest webhooks add https://example.org/hook --event submission.ended',
            'palimpsest webhooks list',
            'palimpsest webhooks log WEBHOOK',
            'palimpsest webhooks replay WEBHOOK MESSAGE',
          ],
          'Messages are signed by the Standard Webhooks rules, and tried again for three days.',
        ),
      )
    const verb = (name: string, description: string) =>
      group
        .command(name)
        .description(description)
        .option(...serverOption)
        .option('--token-file <file>', "file with a submitter token (PALIMPSEST_TOKEN, else the home's tokens.json)")
        .option(...homeOption)
        .option('--json', "the API's own JSON")
    verb('add <url>', 'create a webhook; its secret is shown this once')
      .option('--event <name>', `${webhookEvents.join(', ')} (repeatable; default: all)`, collect)
      .action(add)
    verb('list', 'your webhooks, and whether they work').action(list)
    verb('log <webhook>', 'what was sent lately, with every attempt').action(log)
    verb('replay <webhook> <message>', 'send a message once more; enables a webhook that was disabled').action(replay)
    verb('remove <webhook>', 'delete a webhook with its log').action(remove)
    return group
  },
}

const apiFor = (options: Options): Promise<Api> => apiAs('submitter', options)

function eventOf(word: string): WebhookEvent {
  const event = webhookEvents.find((name) => name === word)
  if (event) return event
  throw new UsageError(`--event: expected ${webhookEvents.join(' or ')}, got "${word}"`)
}

async function add(url: string, options: Options & { event?: string[] }): Promise<void> {
  const events = options.event?.map(eventOf)
  const created = await (await apiFor(options)).createWebhook({ url, ...(events && { events }) })
  if (options.json) {
    printJson(created)
    return
  }
  print(created.secret)
  note(`Webhook ${created.id} tells ${url} of ${created.events.join(', ')}.`)
  note('This secret verifies its messages and is not shown again.')
}

async function list(options: Options): Promise<void> {
  const all = await (await apiFor(options)).webhooks()
  if (options.json) {
    printJson(all)
    return
  }
  const rows = all.map((webhook) => [webhook.id, webhook.url, webhook.events.join(' '), healthOf(webhook)])
  for (const line of table([{ title: 'Id' }, { title: 'Address' }, { title: 'Events' }, { title: 'State' }], rows)) {
    print(line)
  }
}

const healthOf = ({ disabledAt, disabledReason, failingSince }: Webhook) =>
  disabledAt !== null
    ? `disabled ${disabledAt}: ${disabledReason}`
    : failingSince !== null
      ? `failing since ${failingSince}`
      : 'works'

async function log(webhook: string, options: Options): Promise<void> {
  const messages = await (await apiFor(options)).webhookDeliveries(webhook)
  if (options.json) {
    printJson(messages)
    return
  }
  for (const message of messages) {
    print(`${message.id}  ${message.createdAt}  ${message.type}  ${stateOf(message)}`)
    for (const { at, status, error, durationMs } of message.attempts) {
      print(`  ${at}  ${status ?? '---'}  ${durationMs} ms${error === null ? '' : `  ${error}`}`)
    }
  }
}

const stateOf = ({ state, nextAttemptAt }: WebhookMessage) =>
  nextAttemptAt === null ? state : `${state}, next attempt ${nextAttemptAt}`

async function replay(webhook: string, message: string, options: Options): Promise<void> {
  const due = await (await apiFor(options)).replayWebhook(webhook, message)
  if (options.json) printJson(due)
  else note(`${due.type} is sent once more.`)
}

async function remove(webhook: string, options: Options): Promise<void> {
  const removed = await (await apiFor(options)).deleteWebhook(webhook)
  if (options.json) printJson(removed)
  else note(`${removed.url} is told nothing more.`)
}
