/** The images of D that a model knows best or least, as a list. */
import { indexListOf } from '../../schema/parts/index-list.ts'
import type { ScienceTask } from '../science/task.ts'
import { noSuch } from '../words/nearest.ts'
import { UsageError } from '../words/usage.ts'
import { checkedRows, type Positions } from './split-file.ts'

export interface Selected {
  /** Positions in the training set, ascending. */
  list: Int32Array
  /** The values of the first and the last that were taken. */
  from: number
  to: number
}

/** Of equal values the image that comes first in the dataset is taken. */
export function selectExamples(
  { science, evidence }: { science: ScienceTask; evidence: unknown },
  positions: Positions,
  { by, take, count }: { by: string; take: 'most' | 'least'; count: number },
): Selected {
  const { orderings = {} } = science
  const order = orderings[by]
  if (!order) throw new UsageError(`--by: ${noSuch('value of examples', by, Object.keys(orderings))}`)
  const found = (['forget', 'retain'] as const).flatMap((set) => {
    const values = order(evidence, set)
    const images = checkedRows(positions, set, values.length)
    return Array.from(values, (value, row) => ({ value, image: images[row]! }))
  })
  if (count >= found.length)
    throw new UsageError(`--${take}: expected fewer than the ${found.length} images of D, got ${count}`)
  const sign = take === 'most' ? -1 : 1
  const taken = found.sort((a, b) => sign * (a.value - b.value) || a.image - b.image).slice(0, count)
  return {
    list: indexListOf(taken.map(({ image }) => image)),
    from: taken[0]!.value,
    to: taken.at(-1)!.value,
  }
}
