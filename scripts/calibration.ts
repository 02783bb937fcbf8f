/** How often boards separate rows that are equal, and rows that are not: the simulation behind the ranks. Writes docs/calibration.md.
 *  Run: npm run calibration [-- --boards 2000] */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { randomStream } from '../runner/engine/nn/random.ts'
import { insuredTTest, meanAndSpread, pairedTTest, type RankedRow, rankRanges } from '../runner/science/statistics.ts'

const { values: options } = parseArgs({ options: { boards: { type: 'string', default: '2000' } } })
const BOARDS = Number(options.boards)
const random = randomStream(1, 'calibration')

/** Laws of one row's gap over seeds: mean 0, and a spread of 1 but for the constant one. */
const laws = {
  normal: () => random.normal(),
  constant: () => 0.01 * random.normal(),
  exponential: () => -Math.log(1 - random.uniform()) - 1,
  'log-normal': () => (Math.exp(random.normal()) - Math.exp(0.5)) / Math.sqrt((Math.exp(1) - 1) * Math.exp(1)),
  'chi-squared': () => (random.normal() ** 2 - 1) / Math.SQRT2,
}
type Law = () => number

/** Avg. Gap of each row of the quickstart, by seed. */
const measured = JSON.parse(readFileSync(new URL('./quickstart-gaps.json', import.meta.url), 'utf8')) as Record<
  string,
  number[]
>
const rows = Object.entries(measured).map(([id, gaps]) => {
  const { mean } = meanAndSpread(gaps)
  return { id, mean, residuals: gaps.map((gap) => gap - mean) }
})

const drawn = (laws: Law[], seeds: number): number[][] => laws.map((law) => Array.from({ length: seeds }, law))
/** Normal, with the covariance of the quickstart's rows: what they share of a seed, its split and its retrained model, stays shared. */
function asMeasured(seeds: number): number[][] {
  const count = rows[0]!.residuals.length
  const weights = Array.from({ length: seeds }, () =>
    Array.from({ length: count }, () => random.normal() / Math.sqrt(count - 1)),
  )
  return rows.map(({ residuals }) =>
    weights.map((weight) => weight.reduce((sum, share, i) => sum + share * residuals[i]!, 0)),
  )
}

/** Whether Holm's correction lets a test separate any two rows. */
function separatesAny(board: number[][], test: (differences: number[]) => number): boolean {
  const pairs = board.flatMap((a, i) => board.slice(i + 1).map((b) => test(a.map((value, k) => value - b[k]!))))
  return Math.min(...pairs) <= 0.05 / pairs.length
}

const percent = (count: number, total: number) => `${((100 * count) / total).toFixed(1)}%`
const table = (head: string[], body: (string | number)[][]) =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const alternating =
  (...names: (keyof typeof laws)[]) =>
  (count: number) =>
    Array.from({ length: count }, (_, i) => laws[names[i % names.length]!])
const families: [name: string, laws: (count: number) => Law[]][] = [
  ['all normal', alternating('normal')],
  ['all exponential', alternating('exponential')],
  ['all chi-squared', alternating('chi-squared')],
  ['half constant, half exponential', alternating('constant', 'exponential')],
  ['half constant, half log-normal', alternating('constant', 'log-normal')],
  ['half constant, half chi-squared', alternating('constant', 'chi-squared')],
  ['normal, constant and chi-squared', alternating('normal', 'constant', 'chi-squared')],
]
const SEEDS = [3, 5, 10, 20]

function falseSeparations(): string[][] {
  const share = (board: () => number[][], test: (differences: number[]) => number) => {
    let count = 0
    for (let i = 0; i < BOARDS; i++) if (separatesAny(board(), test)) count++
    return percent(count, BOARDS)
  }
  const line = (name: string, board: (seeds: number) => number[][]) => [
    name,
    ...SEEDS.flatMap((seeds) => [pairedTTest, insuredTTest].map((test) => share(() => board(seeds), test))),
  ]
  return [
    ...[6, 20].flatMap((count) =>
      families.map(([name, lawsOf]) => line(`${count} rows, ${name}`, (seeds) => drawn(lawsOf(count), seeds))),
    ),
    line(`${rows.length} rows, normal with the quickstart’s covariance`, asMeasured),
  ]
}

/** How many pairs of the quickstart's rows are separated where their means are those that were measured. */
function power(): string[][] {
  const pairs = (rows.length * (rows.length - 1)) / 2
  return SEEDS.map((seeds) => {
    let separated = 0
    for (let i = 0; i < BOARDS; i++) {
      const board = asMeasured(seeds).map(
        (residuals, row): RankedRow => ({
          id: rows[row]!.id,
          bySeed: new Map(residuals.map((residual, seed) => [seed, rows[row]!.mean + residual])),
        }),
      )
      for (const { low } of rankRanges(board).values()) separated += low - 1
    }
    return [`${seeds}`, `${(separated / BOARDS).toFixed(1)} of ${pairs}`]
  })
}

/** How often a 95% t-interval over seeds holds the mean. */
function coverage(): string[][] {
  const t975: Record<number, number> = { 3: 4.302653, 5: 2.776445, 10: 2.262157, 20: 2.093024 }
  const laid = Object.entries(laws).map(([name, law]) => [name, law] as const)
  return laid.map(([name, law]) => [
    name,
    ...SEEDS.map((seeds) => {
      let held = 0
      const draws = 10 * BOARDS
      for (let i = 0; i < draws; i++) {
        const { mean, sd } = meanAndSpread(Array.from({ length: seeds }, law))
        if (Math.abs(mean) <= (t975[seeds]! * sd!) / Math.sqrt(seeds)) held++
      }
      return percent(held, draws)
    }),
  ])
}

const both = SEEDS.flatMap((seeds) => [`n = ${seeds}: t-test`, 'insured'])
writeFileSync(
  new URL('../docs/calibration.md', import.meta.url),
  `# How ranks are calibrated

Written by \`npm run calibration\`; ${BOARDS.toLocaleString('en')} simulated boards a cell.

A board separates two rows when the insured t-test over their common seeds does so after Holm's correction over all pairs
(\`runner/science/statistics.ts\`). The insurance is one more seed, five standard deviations against the difference (50/n of them
below ten seeds): a difference counts when it would survive that.

## False separations

Rows whose gaps have the same mean: the share of boards in which any two are separated, which should be at most 5%. A constant row
has a hundredth of the others' spread. Two tests beside each other, both after Holm's correction.

${table(['board', ...both], falseSeparations())}

## Power

The quickstart's rows with the means and the covariance that were measured over six seeds (\`scripts/quickstart-gaps.json\`): how many
pairs are separated, on average.

${table(['n', 'separated'], power())}

## Coverage of intervals

The share of 95% t-intervals over seeds that hold the mean. For laws as skewed as the last three, few seeds can't do better without
becoming useless: an interval over three to ten seeds of a skewed row holds less often than it says.

${table(['law', ...SEEDS.map((seeds) => `n = ${seeds}`)], coverage())}
`,
)
