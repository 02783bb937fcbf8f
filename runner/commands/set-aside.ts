/** `palimpsest set-aside`: an admin takes the result of a stage out of the count. */
import { apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { tokenFor } from '../server/tokens.ts'
import { homeOf } from '../store/home.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { plural } from '../words/numbers.ts'
import { type Command, help, homeOption, serverOf, serverOption } from './parts/command.ts'

interface Options {
  reason: string
  server?: string
  tokenFile?: string
  home?: string
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

async function execute(key: string, { reason, server, tokenFile, home, json }: Options): Promise<void> {
  const token = await tokenFor('admin', { tokenFile, home: homeOf(home) })
  const api = apiOf(createClient({ server: serverOf(server), token, retryForMs: 10_000 }))
  const { stages } = await api.setAside(key, { reason })
  if (json) printJson(stages)
  else for (const stage of stages) print(stage)
  note(`${plural(stages.length, 'stage')} will be computed anew.`)
}
