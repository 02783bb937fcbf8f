/** What `palimpsest sweep` prints: a line for each method with its best trial, and below it every trial. */

import type { Tried, Tuned } from '../pipeline/sweep.ts'
import { titleOf } from '../science/catalogue/catalogue.ts'
import { dimensionText, isFixed } from '../science/search.ts'
import { labelled } from '../words/names.ts'
import { duration, fixed, meanAndSd } from '../words/numbers.ts'
import { print, styledData } from './output.ts'
import type { Cell, Sheet } from './sheet.ts'
import { table } from './table.ts'

/** The best of each method, the smallest gap first; a method of which nothing came to a gap last. */
export const ranked = (tuned: readonly Tuned[]): Tuned[] =>
  tuned.toSorted((a, b) => {
    if (!a.search || !b.search) return Number(!a.search) - Number(!b.search)
    return a.search.best - b.search.best
  })

/** With what tells it from others of its method. */
export const nameOf = ({ method, label }: Pick<Tuned, 'method' | 'label'>): string =>
  labelled({ title: titleOf(method), label })

const columns = ['Method', 'Best setting', 'Avg. Gap', 'Of all trials', 'Trials', 'Cost'] as const

export function sweptTable(tuned: readonly Tuned[]): string[] {
  const rows = ranked(tuned).map(({ trials: [best, ...others], search, failed, seconds, ...row }) => [
    nameOf(row),
    search ? best!.variant : '',
    search ? meanAndSd(best!.gap!) : 'none',
    search ? `${fixed(search.median)} (${fixed(search.best)} to ${fixed(search.worst)})` : '',
    `${1 + others.length}${failed > 0 ? ` (${failed} failed)` : ''}`,
    duration(seconds),
  ])
  return table(
    columns.map((title, at) => ({ title, align: at < 2 ? ('left' as const) : ('right' as const) })),
    rows,
  )
}

/** The same for other programs. */
export const sweptSheet = (tuned: readonly Tuned[], title: string, legend: string[]): Sheet => ({
  title,
  legend,
  columns: [
    { title: 'Method' },
    { title: 'Best setting' },
    { title: 'Avg. Gap', decimals: 2 },
    { title: 'Median of all trials', decimals: 2 },
    { title: 'Worst', decimals: 2 },
    { title: 'Trials' },
    { title: 'Failed' },
    { title: 'Seconds', decimals: 1 },
  ],
  rows: ranked(tuned).map(({ trials, search, failed, seconds, ...row }): Cell[] => [
    nameOf(row),
    search ? trials[0]!.variant : '',
    trials[0]!.gap,
    search?.median ?? null,
    search?.worst ?? null,
    trials.length,
    failed,
    seconds,
  ]),
})

export function printTrials(tuned: readonly Tuned[]): void {
  for (const { space, trials, ...row } of ranked(tuned)) {
    print()
    const searched = space.filter((dimension) => !isFixed(dimension))
    const words = searched.map((dimension) => `${dimension.name} ${dimensionText(dimension)}`)
    print(`${nameOf(row)}${words.length > 0 ? `: ${words.join(', ')}` : ''}`)
    for (const trial of trials) print(`  ${trialWords(trial)}`)
  }
}

const trialWords = ({ gap, variant, error }: Tried): string =>
  [gap ? meanAndSd(gap) : styledData('red', 'failed'), variant || 'as the benchmark has it', error ?? '']
    .filter(Boolean)
    .join('  ')

export const sweptLegend = (pilots: readonly number[]): string[] => [
  `Avg. Gap to retrain: mean over the pilot ${pilots.length === 1 ? 'seed' : 'seeds'} ${pilots.join(', ')}${pilots.length > 1 ? ' ± their spread' : ''}; beside it the median of all trials, with the best and the worst.`,
  'Cost: seconds of set-up, mask and unlearning of all trials.',
]
