/** What re-scoring found, metric by metric. */
import type { Change } from '../pipeline/rescore.ts'
import { count, fixed } from '../words/numbers.ts'
import type { Sheet } from './sheet.ts'
import { table } from './table.ts'

/** By metric, up to the first `;` of its identity: how many values are new, how many are others than before, and by how much. */
const byMetric = (changes: Pick<Change, 'identity' | 'before' | 'after'>[]) =>
  Array.from(
    Map.groupBy(changes, ({ identity }) => identity.split(';')[0]!),
    ([metric, all]) => {
      const differences = all.flatMap(({ before, after }) => (before === null ? [] : Math.abs(after - before)))
      return {
        metric,
        added: all.length - differences.length,
        changed: differences.length,
        largest: differences.length > 0 ? differences.reduce((a, b) => Math.max(a, b), 0) : null,
      }
    },
  )

type Changes = Parameters<typeof byMetric>[0]
const titles = ['Metric', 'New', 'Changed', 'Largest difference'] as const

export function rescoredTable(changes: Changes): string[] {
  const rows = byMetric(changes).map(({ metric, added, changed, largest }) => [
    metric,
    count(added),
    count(changed),
    largest === null ? '' : fixed(largest, 4),
  ])
  return table(
    titles.map((title, at) => ({ title, align: at === 0 ? 'left' : 'right' })),
    rows,
  )
}

/** The same for other programs. */
export const rescoredSheet = (changes: Changes): Sheet => ({
  columns: titles.map((title, at) => (at === 3 ? { title, decimals: 4 } : { title })),
  rows: byMetric(changes).map(({ metric, added, changed, largest }) => [metric, added, changed, largest]),
})
