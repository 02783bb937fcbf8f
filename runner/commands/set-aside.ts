/** `palimpsest set-aside`: an admin takes the result of a stage out of the count. */
import { note, print, printJson } from '../terminal/output.ts'
import { plural } from '../words/numbers.ts'
import { type Access, apiAs } from './parts/api-as.ts'
import { type Command, help, homeOption, serverOption } from './parts/command.ts'

interface Options extends Access {
  reason: string
  json?: boolean
}

export const setAside: Command = {
  group: 'Servers and runners',
  add: (program) =>
    program
      .command('set-aside')
      .description('take the result of a stage out of the count, with all that was computed from it (for admins)')
      .argument('<stage>', 'its key, as the page of a run shows it')
      .requiredOption('--reason <text>', 'why; everybody reads it')
      .option(...serverOption)
      .option('--token-file <file>', "file with an admin token (PALIMPSEST_TOKEN, else the home's tokens.json)")
      .option(...homeOption)
      .option('--json', 'the keys of the stages as JSON')
      .addHelpText(
        'after',
        help(
          ["palimpsest set-aside STAGE --reason 'the weights are those of another seed'"],
          'The stages are computed anew, by other runners where there are any. For all results of a runner: palimpsest runners revoke.',
        ),
      )
      .action(execute),
}

async function execute(key: string, { reason, json, ...access }: Options): Promise<void> {
  const api = await apiAs('admin', access)
  const { stages } = await api.setAside(key, { reason })
  if (json) printJson(stages)
  else for (const stage of stages) print(stage)
  note(`${plural(stages.length, 'stage')} will be computed anew.`)
}
