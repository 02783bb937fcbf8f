/** A board as a text table: references first, then rows in the board's order. */
import type { Board, BoardRow, Ranking } from '../../schema/api/board.ts'
import type { SuiteBoard, SuiteRow } from '../../schema/api/suite.ts'
import { clustersOf } from '../../schema/parts/seeding.ts'
import { decimalsOf, REFERENCE } from '../science/catalogue/catalogue.ts'
import { verdictOf } from '../science/verdict.ts'
import { labelled } from '../words/names.ts'
import { rankRange } from '../words/numbers.ts'
import { classSheet, classTable } from './classes.ts'
import { type GapPlace, type Score, type Scores, scoresLegend, scoresSheet, scoresTable } from './scores.ts'
import type { Sheet } from './sheet.ts'

export const boardTable = (board: Ranking | SuiteBoard): string[] => scoresTable(scoresOf(board))

function scoresOf(board: Ranking | SuiteBoard): Scores {
  const { columns, references, rows } = board
  const classes = 'suite' in board ? board.suite.classes.length : 0
  const score = (row: BoardRow | SuiteRow) => scoreOf(row, columns, lackOf(row, classes))
  const shown = columns.map(({ id, title }) => ({ title, decimals: decimalsOf(id) }))
  return { columns: shown, references: references.map(score), rows: rows.map(score) }
}

/** The same for other programs, each metric of a suite as a table of its own. */
export const boardSheets = (board: Ranking | SuiteBoard, title: string): Sheet[] => [
  scoresSheet(scoresOf(board), { title, legend: boardLegend(board, 'beside it') }),
  ...('suite' in board
    ? metricsByClass(board).map((each) => classSheet(each.title, each.classes, each.columns, each.decimals))
    : []),
]

/** How to read it. */
export const boardLegend = (
  { columns, ordering }: Pick<Ranking, 'columns' | 'ordering'>,
  place?: GapPlace,
): string[] =>
  ordering.by === 'avg-gap'
    ? [
        ...scoresLegend({
          units: [...new Set(columns.map(({ unit }) => unit))].join(', '),
          compared: true,
          place,
          beside: columns.flatMap(({ title, better, inAvgGap }) =>
            better === 'closer-to-retrain' && !inAvgGap ? [title] : [],
          ),
          ofTwo: columns.filter(({ ofTwo }) => ofTwo),
        }),
        'A rank is a range: few seeds separate few rows.',
        ...(ordering.clusters === undefined ? [] : [ordering.clusters]),
      ]
    : [
        'Mean ± sample sd over n seeds.',
        ordering.words,
        ...(ordering.clusters === undefined ? [] : [ordering.clusters]),
      ]

/** What it says, a sentence a line, after an empty one. */
export function boardVerdict(board: Board | SuiteBoard): string[] {
  const { lead, more } = verdictOf(board, 'benchmark' in board ? clustersOf(board.benchmark) : undefined)
  const sentences = [...lead, ...more]
  return sentences.length > 0 ? ['', ...sentences] : []
}

/** What a row of a suite of so many classes lacks, such as `, 7 of 10 classes`. */
function lackOf(row: BoardRow | SuiteRow, classes: number): string {
  const measured = 'averaged' in row ? row.averaged.length : classes
  return measured < classes ? `, ${measured} of ${classes} classes` : ''
}

function scoreOf(row: BoardRow, columns: Ranking['columns'], lack: string): Score {
  const { rank, standing, avgGap, gapOfMeans, metrics, seconds, fractionOfRetrain, method } = row
  return {
    rank: standing ? String(standing.place) : rank === null ? '' : rankRange(rank),
    name: labelled(row) + lack,
    avgGap: method === REFERENCE ? null : avgGap,
    gapOfMeans,
    cells: columns.map(({ id }) => metrics[id] ?? stateOf(row)),
    seconds,
    fractionOfRetrain,
    n: seconds?.n ?? 0,
  }
}

/** Each metric of a suite: classes down, methods across. */
export const classTables = (board: SuiteBoard): string[] =>
  metricsByClass(board).flatMap(({ title, classes, columns, decimals }) => [
    '',
    title,
    ...classTable(classes, columns, decimals),
  ])

const metricsByClass = ({ suite, columns, references, rows }: SuiteBoard) =>
  columns.map(({ id, title, unit }) => ({
    title: `${title} of each class${unit && `, in ${unit}`}`,
    decimals: decimalsOf(id),
    classes: suite.classes.map(({ label, name }) => `${label} ${name}`),
    columns: [...references, ...rows].map((row) => ({
      title: labelled(row),
      cells: suite.classes.map(({ benchmark }) => row.byClass[benchmark]?.metrics[id] ?? null),
      average: row.metrics[id] ?? null,
    })),
  }))

/** Why a row has no value. */
function stateOf({ runs }: BoardRow): string {
  const states = new Set(runs.map(({ state }) => state))
  return (['running', 'queued', 'failed', 'cancelled'] as const).find((state) => states.has(state)) ?? 'not measured'
}
