/** The file that every evaluation leaves beside its evidence: which image each row of D_f and D_r is of. */
import { isFloat } from '../formats/numbers.ts'
import type { ExampleTable } from '../science/task.ts'
import { UsageError } from '../words/usage.ts'
import { openNamed } from './files-of-arrays.ts'

export type Positions = Record<'forget' | 'retain', number[]>

/** From safetensors, or an .npz with the same two arrays. */
export async function readPositions(path: string): Promise<Positions> {
  const file = await openNamed(path)
  if (file.kind !== 'arrays') throw new UsageError(`${path}: expected forget and retain of a split, got ${file.kind}`)
  const { arrays } = file.content
  const rows = (name: string) => {
    const found = arrays.get(name)
    if (found && found.shape.length === 1 && !isFloat(found.data)) return Array.from(found.data, Number)
    throw new UsageError(
      `${path}: expected forget and retain as positions [n], whole numbers, got ${found ? `${name} of ${found.type} [${found.shape.join(', ')}]` : [...arrays.keys()].join(', ') || 'no arrays'}`,
    )
  }
  return { forget: rows('forget'), retain: rows('retain') }
}

/** As many as a set of the evidence has rows. */
export function checkedRows(positions: Positions, set: keyof Positions, rows: number): number[] {
  const own = positions[set]
  if (own.length === rows) return own
  throw new UsageError(`--split: expected ${rows} positions of ${set}, a row of the evidence each, got ${own.length}`)
}

/** A table of examples with a column more: the position of each image in its own set of the dataset, training or test. */
export function withImages({ columns, rows }: ExampleTable, positions: Positions): ExampleTable {
  const [set, example] = [columns.indexOf('set'), columns.indexOf('example')]
  const counted = (name: string) => rows.filter((row) => row[set] === name).length
  const images = {
    forget: checkedRows(positions, 'forget', counted('forget')),
    retain: checkedRows(positions, 'retain', counted('retain')),
  }
  const imageOf = (row: ExampleTable['rows'][number]) => {
    const [name, at] = [row[set] as string, row[example] as number]
    return name === 'forget' || name === 'retain' ? images[name][at]! : at
  }
  return { columns: [...columns, 'image'], rows: rows.map((row) => [...row, imageOf(row)]) }
}
