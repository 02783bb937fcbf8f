/** How often boards separate rows that are equal, and rows that are not: the simulation behind the ranks. Writes docs/calibration.md.
 *  Run: npm run calibration [-- --boards 2000] */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { randomStream } from '../runner/engine/nn/random.ts'
import {
  clusteredSpread,
  insuredTTest,
  intervalOf,
  meanAndSpread,
  pairedTTest,
  type RankedRow,
  rankRanges,
} from '../runner/science/statistics.ts'

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

/** Whether the 95% interval of a spread holds the mean of what was simulated, 0. */
function holds(spread: Parameters<typeof intervalOf>[0]): boolean {
  const { low, high } = intervalOf(spread)!
  return low <= 0 && 0 <= high
}

/** How often a 95% t-interval over seeds holds the mean. */
function coverage(): string[][] {
  const laid = Object.entries(laws).map(([name, law]) => [name, law] as const)
  return laid.map(([name, law]) => [
    name,
    ...SEEDS.map((seeds) => {
      let held = 0
      const draws = 10 * BOARDS
      for (let i = 0; i < draws; i++) {
        if (holds(meanAndSpread(Array.from({ length: seeds }, law)))) held++
      }
      return percent(held, draws)
    }),
  ])
}

/** Shares of the variance of a run that are its training's and its forget set's; what remains is its unlearning's. */
const NESTED = [
  ['training 0.8, unlearning 0.2', 0.8, 0],
  ['training 0.5, unlearning 0.5', 0.5, 0],
  ['training 0.5, forget set 0.3, unlearning 0.2', 0.5, 0.3],
  ['training 0.1, unlearning 0.9', 0.1, 0],
] as const
const TRAININGS = [3, 5, 10]
/** Of each training; every two of them share a forget set. */
const UNLEARNINGS = 4

/** How often 95% intervals hold the mean where runs share trainings: over clusters, and over runs as if each were independent. */
function nestedCoverage(): string[][] {
  return NESTED.map(([name, training, forgetSet]) => [
    name,
    ...TRAININGS.flatMap((trainings) => {
      const held = { clusters: 0, runs: 0 }
      const draws = 10 * BOARDS
      for (let i = 0; i < draws; i++) {
        const runs = Array.from({ length: trainings }).flatMap((_, cluster) => {
          const effect = Math.sqrt(training) * random.normal()
          const sets = [random.normal(), random.normal()].map((value) => Math.sqrt(forgetSet) * value)
          return Array.from({ length: UNLEARNINGS }, (_, run) => {
            const own = Math.sqrt(1 - training - forgetSet) * random.normal()
            return { cluster, value: effect + sets[run % 2]! + own }
          })
        })
        if (holds(clusteredSpread(runs))) held.clusters++
        if (holds(meanAndSpread(runs.map(({ value }) => value)))) held.runs++
      }
      return [percent(held.clusters, draws), percent(held.runs, draws)]
    }),
  ])
}

/** Whether the intervals of normal rows hold as often as they say, at the n that boards have. */
function normalWords(table: string[][]): string {
  const [, ...shares] = table.find(([law]) => law === 'normal')!
  const few = shares.slice(0, SEEDS.indexOf(10) + 1)
  const within = few.map(Number.parseFloat).every((share) => share >= 93 && share <= 97)
  return `Normal rows of 3, 5 and 10 seeds: ${few.join(', ')}, ${within ? 'all' : 'not all'} within 93 to 97%, as they should be.`
}

// In this order: they draw from one stream.
const [separated, powers, covered] = [falseSeparations(), power(), coverage()]
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

${table(['board', ...both], separated)}

## Power

The quickstart's rows with the means and the covariance that were measured over six seeds (\`scripts/quickstart-gaps.json\`): how many
pairs are separated, on average.

${table(['n', 'separated'], powers)}

## Coverage of intervals

The share of 95% t-intervals over seeds that hold the mean. For laws as skewed as the last three, few seeds can't do better without
becoming useless: an interval over three to ten seeds of a skewed row holds less often than it says.

${table(['law', ...SEEDS.map((seeds) => `n = ${seeds}`)], covered)}

${normalWords(covered)}

## Coverage where runs share trainings

A benchmark may let several runs share a training (\`seeding\`), and these are alike: the mean of each cluster counts once
(\`clusteredSpread\`). Rows of ${UNLEARNINGS} runs a training, normal, by where their variance comes from: the share of 95% intervals that
hold the mean, over clusters, and beside it over runs as if each were independent.

${table(
  [
    'variance',
    ...TRAININGS.flatMap((trainings) => [`${trainings} trainings: clusters`, `${trainings * UNLEARNINGS} runs`]),
  ],
  nestedCoverage(),
)}
`,
)
