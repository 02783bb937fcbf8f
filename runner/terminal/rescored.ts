/** What re-scoring found, metric by metric. */
import type { Change } from '../pipeline/rescore.ts'
import { count, fixed } from '../words/numbers.ts'
import { table } from './table.ts'

/** By metric, up to the first `;` of its identity: how many values are new, how many are others than before, and by how much. */
export function rescoredTable(changes: Pick<Change, 'identity' | 'before' | 'after'>[]): string[] {
  const byMetric = Map.groupBy(changes, ({ identity }) => identity.split(';')[0]!)
  const rows = [...byMetric].map(([metric, all]) => {
    const differences = all.flatMap(({ before, after }) => (before === null ? [] : Math.abs(after - before)))
    const largest = differences.reduce((a, b) => Math.max(a, b), 0)
    return [
      metric,
      count(all.length - differences.length),
      count(differences.length),
      differences.length > 0 ? fixed(largest, 4) : '',
    ]
  })
  const right = (title: string) => ({ title, align: 'right' as const })
  return table([{ title: 'Metric' }, right('New'), right('Changed'), right('Largest difference')], rows)
}
