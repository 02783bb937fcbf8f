/** `palimpsest board`: the ranking of a benchmark or suite. */
import { apiOf, boardPage } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { suites } from '../pipeline/catalogue.ts'
import { boardLegend, boardTable, classTables } from '../terminal/board.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { type Command, help, serverOf, serverOption } from './parts/command.ts'

export const board: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('board')
      .description('show the board of a benchmark or suite')
      .argument('<benchmark>', 'its slug, or that of a suite')
      .option(...serverOption)
      .option('--json', "the API's own JSON")
      .addHelpText(
        'after',
        help([
          'palimpsest board fashion-mnist-5k.small-cnn.random-10',
          'palimpsest board fashion-mnist-5k.small-cnn.class-wise',
          'palimpsest board cifar10.resnet18.random-10 --server https://palimpsest.example --json',
        ]),
      )
      .action(async (slug: string, options: { server?: string; json?: boolean }) => {
        const server = serverOf(options.server)
        const api = apiOf(createClient({ server, retryForMs: 5_000 }))
        const found = suites.has(slug) ? await api.suiteBoard(slug) : await api.board(slug)
        if (options.json) {
          printJson(found)
          return
        }
        print('suite' in found ? `${found.suite.title}: average over the classes` : found.benchmark.title)
        for (const line of boardTable(found)) print(line)
        for (const line of boardLegend(found)) print(line)
        if ('suite' in found) for (const line of classTables(found)) print(line)
        note(boardPage(server, slug))
      }),
}
