/** `palimpsest board`: the ranking of a benchmark or suite. */
import { apiOf, boardPage } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { suites } from '../pipeline/catalogue.ts'
import { boardLegend, boardSheets, boardTable, boardVerdict, classTables } from '../terminal/board.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { printSheets } from '../terminal/sheet.ts'
import { type Command, help, serverOf, serverOption } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'

export const board: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('board')
      .description('show the board of a benchmark or suite')
      .argument('<benchmark>', 'its slug, or that of a suite')
      .option(...serverOption)
      .addOption(formatOption())
      .option('--json', "the API's own JSON; short for --format json")
      .addHelpText(
        'after',
        help([
          'palimpsest board fashion-mnist-5k.small-cnn.random-10',
          'palimpsest board fashion-mnist-5k.small-cnn.class-wise',
          'palimpsest board cifar10.resnet18.random-10 --server https://palimpsest.example --format latex',
        ]),
      )
      .action(async (slug: string, options: FormatOptions & { server?: string }) => {
        const format = formatOf(options)
        const server = serverOf(options.server)
        const api = apiOf(createClient({ server, retryForMs: 5_000 }))
        const found = suites.has(slug) ? await api.suiteBoard(slug) : await api.board(slug)
        if (format === 'json') return printJson(found)
        const title = 'suite' in found ? `${found.suite.title}: average over the classes` : found.benchmark.title
        if (format !== 'table') return printSheets(boardSheets(found, title), format)
        print(title)
        for (const line of boardTable(found)) print(line)
        for (const line of [...boardLegend(found), ...boardVerdict(found)]) print(line)
        if ('suite' in found) for (const line of classTables(found)) print(line)
        note(boardPage(server, slug))
      }),
}
