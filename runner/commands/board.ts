/** `palimpsest board`: the ranking of a benchmark. */
import { apiOf, boardPage } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { type Command, help, serverOf, serverOption } from '../command.ts'
import { boardLegend, boardTable } from '../terminal/board.ts'
import { note, print, printJson } from '../terminal/output.ts'

export const board: Command = (program) =>
  program
    .command('board')
    .description('show the board of a benchmark')
    .argument('<benchmark>', 'its slug')
    .option(...serverOption)
    .option('--json', "the API's own JSON")
    .addHelpText(
      'after',
      help([
        'palimpsest board fashion-mnist-5k.small-cnn.random-10',
        'palimpsest board cifar10.resnet18.random-10 --server https://palimpsest.example --json',
      ]),
    )
    .action(async (slug: string, options: { server?: string; json?: boolean }) => {
      const server = serverOf(options.server)
      const found = await apiOf(createClient({ server, retryForMs: 5_000 })).board(slug)
      if (options.json) {
        printJson(found)
        return
      }
      print(found.benchmark.title)
      for (const line of boardTable(found)) print(line)
      for (const line of boardLegend(found)) print(line)
      note(boardPage(server, slug))
    })
