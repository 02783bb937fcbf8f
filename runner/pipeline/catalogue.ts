/** What this checkout knows by name, datasets among it. A name that it does not know is a UsageError. */
import { listed, type Target, targets } from '../../schema/catalogue/catalogue.ts'
import { noSuch } from '../words/nearest.ts'
import { UsageError } from '../words/usage.ts'

type Catalogue<T> = ReadonlyMap<string, T>

export { benchmarks, suites, suiteWith } from '../../schema/catalogue/catalogue.ts'
export { datasets } from '../stages/data.ts'

/** The member of that name; otherwise a UsageError that names the nearest one and all others, or those to be listed. */
export function lookUp<T>(kind: string, catalogue: Catalogue<T>, id: string, known?: Iterable<string>): T {
  const found = catalogue.get(id)
  if (found) return found
  throw new UsageError(noSuch(kind, id, catalogue.keys(), known))
}

/** A benchmark, or all of a suite. */
export const targetOf = (slug: string): Target => lookUp('benchmark or suite', targets, slug, listed)
