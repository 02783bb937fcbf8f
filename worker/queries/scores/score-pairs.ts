/** Values of two models, computed when the second of two evaluations that belong together has ended, whichever it is. */
import { type Beside, retrainIn } from '../../../runner/science/pair.ts'
import { EVIDENCE, type ScienceTask } from '../../../runner/science/task.ts'
import { version } from '../../../runner/words/version.ts'
import { isMetric } from '../../../schema/benchmark.ts'
import type { Database } from '../../bindings/database.ts'
import { benchmarkNamed, ofTwoModels, scienceTasks } from '../../http/catalogue.ts'
import { knowOwnBenchmarks } from '../benchmarks/known.ts'
import { SERVER } from '../parts/scores.ts'
import { addScores, changesIn, type Known, newestScores } from './add-scores.ts'
import { computeHere } from './compute.ts'
import { bytesOf, evidenceIn, evidenceReader, MOST_BYTES, type Refs } from './evidence.ts'
import { type Pair, pairsBeside, pairsOf } from './pairs.ts'

/** No evaluation begins after this, and no more than so many are looked at: a Worker may compute for 30 seconds. */
const LONG_MS = 20_000
const MOST_PAIRS = 50

/** Whether a job is an evaluation that a benchmark compares with that of retrain. */
export async function isOfTwo(db: Database, key: string): Promise<boolean> {
  await knowOwnBenchmarks(db)
  const rows = await db.$client
    .prepare(
      `SELECT DISTINCT r.benchmark FROM jobs j CROSS JOIN run_jobs n ON n.job_key = j.key CROSS JOIN runs r ON r.id = n.run_id
        WHERE j.key = ? AND j.kind = 'evaluate'`,
    )
    .bind(key)
    .all<{ benchmark: string }>()
  return rows.results.some(({ benchmark }) => namedOn(benchmark).length > 0)
}

const namedOn = (slug: string): string[] => {
  const benchmark = benchmarkNamed(slug)
  return benchmark ? ofTwoModels(benchmark) : []
}

/** The metrics of two models that a pair has no value of; all of them where `anew`. */
export const wantedOf = (
  { benchmark, retrained }: Pair,
  known: ReadonlyMap<string, Known> | undefined,
  { anew = false }: { anew?: boolean } = {},
): string[] => {
  const sha256 = retrained[EVIDENCE]?.sha256
  const have = [...(known?.keys() ?? [])].filter((identity) => retrainIn(identity) === sha256)
  return namedOn(benchmark).filter((named) => sha256 && (anew || !have.some((identity) => isMetric(named, identity))))
}

/** What evidence of retrain is read from: its own file, and what evidence of the task lies beside. */
export const refsOfRetrain = (refs: Refs, { retrained }: Pair): Refs => ({ ...refs, [EVIDENCE]: retrained[EVIDENCE]! })

interface Context {
  db: Database
  store: R2Bucket
  now: number
}

interface ScoredPairs {
  /** Keys of the evaluations that have new values. */
  changed: string[]
  /** What to go on after; null where nothing is left. */
  next: string | null
}

/** Of an evaluation that has ended, those pairs that lack values, in the order of their keys. What is too much work here, or has no
 *  evidence, stays without: re-scoring tells of it. */
export async function scorePairs(key: string, after: string, { db, store, now }: Context): Promise<ScoredPairs> {
  await knowOwnBenchmarks(db)
  const all = [...(await pairsBeside(db, key)), ...(await pairsOf(db, [key]))]
  const newest = await newestScores(
    db,
    all.map(({ own }) => own),
  )
  const pairs = all
    .filter(({ own }) => own > after)
    .sort((a, b) => (a.own < b.own ? -1 : a.own > b.own ? 1 : 0))
    .flatMap((pair) => {
      const science = scienceTasks.get(benchmarkNamed(pair.benchmark)?.task.id ?? '')
      const wanted = wantedOf(pair, newest.get(pair.own))
      return science && wanted.length > 0 ? [{ ...pair, science, wanted }] : []
    })
  const done: ScoredPairs = { changed: [], next: null }
  const read = await pairReader(db, store, pairs)
  const began = Date.now()
  for (const [at, pair] of pairs.entries()) {
    const last = pairs[at - 1]?.own
    const isLong = at >= MOST_PAIRS || Date.now() - began > LONG_MS
    // Two benchmarks may have one evaluation.
    if (isLong && last && last !== pair.own) return { ...done, next: last }
    const { own, science, wanted, artifacts } = pair
    const refs = evidenceIn(science, artifacts)
    if (bytesOf(refs) > MOST_BYTES) continue
    const found = await read(pair)
    if (!found) continue
    const { values } = await computeHere(science, found.evidence, wanted, found)
    const evidence = Object.fromEntries(Object.entries(refs).map(([name, { sha256 }]) => [name, sha256]))
    const changes = changesIn(own, newest.get(own), values)
    const written = await addScores(db, { job: own, evidence, by: SERVER, version, now }, changes)
    if (written && written.length > 0) done.changed.push(own)
  }
  return done
}

/** Reads both sides; retrain of one evaluation after the other is read once. */
async function pairReader(db: Database, store: R2Bucket, pairs: (Pair & { science: ScienceTask })[]) {
  const read = await evidenceReader(
    db,
    store,
    pairs.flatMap((pair) => {
      const refs = evidenceIn(pair.science, pair.artifacts)
      return [refs, refsOfRetrain(refs, pair)]
    }),
  )
  let last: (Beside & { sha256: string }) | null = null
  return async (pair: Pair & { science: ScienceTask }) => {
    const refs = evidenceIn(pair.science, pair.artifacts)
    const own = await read(pair.science, refs)
    const { sha256 } = pair.retrained[EVIDENCE]!
    if (last?.sha256 !== sha256) {
      const found = await read(pair.science, refsOfRetrain(refs, pair))
      last = 'evidence' in found ? { evidence: found.evidence, sha256 } : null
    }
    return 'evidence' in own && last ? { evidence: own.evidence, reference: last } : null
  }
}
