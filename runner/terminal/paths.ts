/** Paths to retrain as text: a line a point, for each run that was looked at along the way. */
import type { LocalPath, LocalRun } from '../pipeline/local.ts'
import { metricOf, REFERENCE } from '../science/catalogue/catalogue.ts'
import { passWords } from '../science/path.ts'
import { fixed, signed } from '../words/numbers.ts'
import type { Sheet } from './sheet.ts'
import { type TableColumn, table } from './table.ts'

const TITLE = 'Path to retrain'
const LEGEND =
  'Epoch 0 is the original; each run of an optimizer, mostly a pass over its data, is one more; "end" is what was made of the weights after that.'

/** Runs in their order, each named by what tells it from the others. */
interface Named {
  name: string
  run: LocalRun
}
type Walked = Named & { path: LocalPath }

const walkedOf = (runs: Named[]): Walked[] =>
  runs.flatMap(({ name, run }) => (run.path ? { name, run, path: run.path } : []))

const titlesOf = (walked: Walked[]) =>
  Object.keys(walked[0]!.path.metrics).map((id) => ({ id, title: metricOf(id)?.title ?? id }))

/** Nothing where no run was looked at. */
export function pathsLines(runs: Named[]): string[] {
  const walked = walkedOf(runs)
  if (walked.length === 0) return []
  const metrics = titlesOf(walked)
  const columns: TableColumn[] = [
    { title: 'Method' },
    ...['Seed', 'Epoch', ...metrics.map(({ title }) => title), 'Mean gap'].map((title) => ({
      title,
      align: 'right' as const,
    })),
  ]
  const rows = walked.flatMap(({ name, run, path }, at) => [
    ...(at > 0 ? ['rule' as const] : []),
    ...path.points.map((point) => [
      name,
      String(run.seed),
      passWords(point),
      ...metrics.map(({ id }) => {
        const gap = point.gaps[id]
        return `${fixed(point.values[id]!)}${gap === undefined ? '' : ` (${signed(gap)})`}`
      }),
      point.meanGap === null ? '' : fixed(point.meanGap),
    ]),
  ])
  return ['', `${TITLE}: in parentheses the gap to ${REFERENCE} of the same seed`, ...table(columns, rows), LEGEND]
}

/** The same for other programs. */
export function pathsSheets(runs: Named[]): Sheet[] {
  const walked = walkedOf(runs)
  if (walked.length === 0) return []
  const metrics = titlesOf(walked)
  return [
    {
      title: TITLE,
      columns: [
        ...[{ title: 'Method' }, { title: 'Seed', decimals: 0 }, { title: 'Epoch' }],
        ...metrics.flatMap(({ title }) => [
          { title, decimals: 2 },
          { title: `${title} gap`, decimals: 2 },
        ]),
        { title: 'Mean gap', decimals: 2 },
      ],
      rows: walked.flatMap(({ name, run, path }) =>
        path.points.map((point) => [
          ...[name, run.seed, point.pass ?? passWords(point)],
          ...metrics.flatMap(({ id }) => [point.values[id]!, point.gaps[id] ?? null]),
          point.meanGap,
        ]),
      ),
      legend: [LEGEND],
    },
  ]
}
