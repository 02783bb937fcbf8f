/** `palimpsest withdraw`: takes a submission off the boards of a server. */
import { apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { tokenFor } from '../server/tokens.ts'
import { homeOf } from '../store/home.ts'
import { note, printJson } from '../terminal/output.ts'
import { type Command, help, homeOption, serverOf, serverOption } from './parts/command.ts'

interface Options {
  reason: string
  server?: string
  tokenFile?: string
  home?: string
  json?: boolean
}

export const withdraw: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('withdraw')
      .description('take a submission off the boards, which say why (its author, or an admin)')
      .argument('<submission>', 'its id')
      .requiredOption('--reason <text>', 'why; everybody reads it')
      .option(...serverOption)
      .option(
        '--token-file <file>',
        "file with a submitter or admin token (PALIMPSEST_TOKEN, else the home's tokens.json)",
      )
      .option(...homeOption)
      .option('--json', 'the submission as JSON')
      .addHelpText(
        'after',
        help(
          ["palimpsest withdraw SUBMISSION --reason 'the learning rate was a slip'"],
          'It cannot be undone. The same settings can be submitted anew; what was computed is not computed again.',
        ),
      )
      .action(execute),
}

async function execute(id: string, { reason, server, tokenFile, home, json }: Options): Promise<void> {
  const token = await tokenFor('submitter', { tokenFile, home: homeOf(home) })
  const api = apiOf(createClient({ server: serverOf(server), token, retryForMs: 10_000 }))
  const submission = await api.withdraw(id, { reason })
  if (json) printJson(submission)
  note(`Submission ${id} is on no board any more; boards say: ${submission.withdrawn?.reason ?? reason}`)
}
