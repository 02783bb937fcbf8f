/** Makes and retires the server's own benchmarks. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { CreateBenchmark } from '../../../schema/api/benchmark.ts'
import { ApiError } from '../../../schema/errors.ts'
import { isOwn, nextVersion } from '../../../schema/own.ts'
import { ownBenchmarks } from '../../../schema/tables/own-benchmarks.ts'
import { type Database, randomHex, type Statement } from '../../bindings/database.ts'
import type { Identity } from '../../bindings/env.ts'
import { benchmarkOf } from '../../http/catalogue.ts'
import type { Once } from '../../http/idempotency.ts'
import { ownBenchmarks as known, replacement } from '../../http/own-benchmarks.ts'
import { createOnce } from '../parts/once.ts'
import { definitionFault } from './fault.ts'
import { knowOwnBenchmarks } from './known.ts'

/** Every front page shows them all, and the first one after a release computes their boards. */
export const MAX_OWN = 100

const nextChange = sql<number>`(SELECT COALESCE(MAX("change"), 0) + 1 FROM "own_benchmarks")`

/** With `replaces`, the version before is retired in the same transaction. */
export async function createBenchmark(
  db: Database,
  request: CreateBenchmark,
  { identity, once }: { identity: Identity; once: Once },
): Promise<{ id: string; created: boolean }> {
  const { benchmark, replaces } = request
  const { slug } = benchmark
  try {
    return await createOnce(db, once, async () => {
      await refuseBad(request)
      const row = {
        ...{ slug, definition: benchmark, author: identity.name, tokenId: identity.tokenId, createdAt: once.now },
        ...{ replaces: replaces ?? null, change: nextChange, mark: randomHex(8) },
      }
      const statements: Statement[] = [roomGuard(db), db.insert(ownBenchmarks).values(row)]
      if (replaces !== undefined)
        statements.push(retirement(db, replaces, { reason: replacement(slug), identity, now: once.now }))
      return { id: slug, statements }
    })
  } catch (error) {
    // Another request at the same time may have taken the slug, the place of the next version, or the last room.
    if (!(error instanceof ApiError)) {
      await knowOwnBenchmarks(db)
      refuseTaken(request)
    }
    throw error
  }
}

async function refuseBad(request: CreateBenchmark): Promise<void> {
  refuseTaken(request)
  const fault = await definitionFault(request.benchmark)
  if (fault !== null) throw new ApiError('invalid_request', `benchmark: ${fault}`)
}

/** What is there already stands against it. */
function refuseTaken({ benchmark: { slug }, replaces }: CreateBenchmark): void {
  const all = known()
  if (all.has(slug)) {
    throw new ApiError(
      'conflict',
      `${slug} is there already, and a benchmark's definition never changes: choose another slug, or make a new version of it by "replaces"`,
    )
  }
  if (replaces !== undefined) refuseVersion(slug, replaces)
  if (all.size >= MAX_OWN) {
    throw new ApiError('conflict', `this server has ${all.size} benchmarks of its own, and at most ${MAX_OWN} are kept`)
  }
}

function refuseVersion(slug: string, replaces: string): void {
  const { replacedBy } = requireOwn(replaces)
  if (replacedBy !== null) {
    throw new ApiError('conflict', `${replaces} was replaced by ${replacedBy}: make a new version of that one`)
  }
  const expected = nextVersion(replaces)
  if (slug === expected) return
  throw new ApiError(
    'invalid_request',
    `benchmark.slug: expected ${expected}, the next version of ${replaces}, got ${slug}`,
  )
}

/** What a benchmark of this server's own has beside its definition. */
function requireOwn(slug: string) {
  const found = known().get(slug)
  if (found) return found.own!
  benchmarkOf(slug)
  throw new ApiError('conflict', `${slug} comes with the release, so it is not this server's to replace or retire`)
}

/** It takes no submissions from now on; what was submitted goes on, and its board stays. */
export async function retireBenchmark(
  db: Database,
  slug: string,
  { reason, identity, now }: { reason: string; identity: Identity; now: number },
): Promise<void> {
  const { retired } = requireOwn(slug)
  if (retired) throw new ApiError('conflict', `${slug} was retired at ${retired.at}: ${retired.reason}`)
  await retirement(db, slug, { reason, identity, now })
}

const retirement = (
  db: Database,
  slug: string,
  { reason, identity, now }: { reason: string; identity: Identity; now: number },
) =>
  db
    .update(ownBenchmarks)
    .set({
      ...{ retiredAt: now, retiredBy: identity.tokenId, retiredReason: reason },
      ...{ change: nextChange, mark: randomHex(8) },
    })
    .where(and(eq(ownBenchmarks.slug, slug), isNull(ownBenchmarks.retiredAt)))

/** For the transaction that makes one: what is no JSON is an error. */
const roomGuard = (db: Database) =>
  db.$client
    .prepare(`SELECT json(CASE WHEN (SELECT COUNT(*) FROM own_benchmarks) < ? THEN 'true' ELSE 'none' END)`)
    .bind(MAX_OWN)

/** A submission to one that is retired is refused, and told where to go. */
export function refuseRetired(slug: string): void {
  const own = isOwn(slug) ? known().get(slug)?.own : null
  if (!own?.retired) return
  const next = own.replacedBy === null ? '' : `; submit to ${own.replacedBy}, which replaced it`
  throw new ApiError(
    'benchmark_retired',
    `${slug} takes no submissions since ${own.retired.at}: ${own.retired.reason}${next}`,
    {
      replacedBy: own.replacedBy,
    },
  )
}
