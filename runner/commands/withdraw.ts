/** `palimpsest withdraw`: takes a submission off the boards of a server. */
import { note, printJson } from '../terminal/output.ts'
import { type Access, apiAs } from './parts/api-as.ts'
import { type Command, help, homeOption, serverOption } from './parts/command.ts'

interface Options extends Access {
  reason: string
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

async function execute(id: string, { reason, json, ...access }: Options): Promise<void> {
  const api = await apiAs('submitter', access)
  const submission = await api.withdraw(id, { reason })
  if (json) printJson(submission)
  note(`Submission ${id} is on no board any more; boards say: ${submission.withdrawn?.reason ?? reason}`)
}
