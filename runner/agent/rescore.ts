/** Re-scoring at a server: it computes what it can, portion by portion; the rest is computed here from its evidence and handed in. */
import type { ScoreChange, ScoreProblem, ScoresLeft } from '../../schema/api/score.ts'
import type { ArtifactRef, StageResult } from '../../schema/result.ts'
import { atOnce } from '../pipeline/at-once.ts'
import type { Scoring } from '../pipeline/scoring.ts'
import { EVIDENCE } from '../science/task.ts'
import { version } from '../words/version.ts'
import type { Api } from './api.ts'
import { downloadArtifact, type Transfer } from './artifacts.ts'
import { StageFailure } from './failure.ts'

/** Evaluations in a request that hands values in. */
const HANDED_AT_ONCE = 20

export interface Portion {
  dryRun: boolean
  onlyMissing: boolean
}

export interface FromServer {
  evaluations: number
  changes: ScoreChange[]
  /** Values that only their runner had computed, and that came out the same. */
  confirmed: number
  problems: ScoreProblem[]
  left: ScoresLeft[]
  unknown: string[]
}

/** All portions of a benchmark or suite; a portion whose answer was lost is asked for again and adds nothing twice. */
export async function rescoreThere(
  api: Api,
  slug: string,
  { dryRun, onlyMissing }: Portion,
  { signal, onPortion }: { signal: AbortSignal; onPortion(done: number, total: number): void },
): Promise<FromServer> {
  const all: FromServer = { evaluations: 0, changes: [], confirmed: 0, problems: [], left: [], unknown: [] }
  let after: string | undefined
  do {
    const portion = await api.rescore(slug, { dryRun, onlyMissing, ...(after && { after }) }, signal)
    all.evaluations += portion.evaluations
    all.changes.push(...portion.changes)
    all.confirmed += portion.confirmed
    all.problems.push(...portion.problems)
    all.left.push(...portion.left)
    all.unknown = portion.unknown
    onPortion(all.evaluations, all.evaluations + portion.remaining)
    after = portion.next ?? undefined
  } while (after)
  return all
}

export interface Here {
  transfer: Omit<Transfer, 'onProgress'>
  scoring: Scoring
  threads: number
  dryRun: boolean
  onDone(): void
}

/** What the server left. Evidence that was fetched for it is removed again. */
export async function scoreLeft(
  api: Api,
  left: readonly ScoresLeft[],
  { transfer, scoring, threads, dryRun, onDone }: Here,
): Promise<Pick<FromServer, 'changes' | 'confirmed' | 'problems'>> {
  const { store, signal } = transfer
  const found: Pick<FromServer, 'changes' | 'confirmed' | 'problems'> = { changes: [], confirmed: 0, problems: [] }
  const fetched = new Set<string>()
  const handIn = async (computed: Parameters<Api['addScores']>[0]['evaluations']) => {
    for (let at = 0; at < computed.length; at += HANDED_AT_ONCE) {
      const evaluations = computed.slice(at, at + HANDED_AT_ONCE)
      const { changes, confirmed, problems } = await api.addScores({ dryRun, version, evaluations }, signal)
      found.changes.push(...changes)
      found.confirmed += confirmed
      found.problems.push(...problems)
    }
  }
  let waiting: Parameters<typeof handIn>[0] = []
  try {
    await atOnce(left, threads + 1, async ({ job, task, artifacts, metrics: identities, retrain }) => {
      const problem = (why: string) => found.problems.push({ job, why })
      try {
        await fetchAll(transfer, artifacts, fetched)
        if (retrain) await fetchAll(transfer, { [EVIDENCE]: retrain }, fetched)
        const outcome = await scoring.score({ task, artifacts, identities, retrain: retrain?.sha256 })
        if ('trouble' in outcome) return void problem(outcome.trouble)
        for (const { named, why } of outcome.unscored) problem(`${named}: ${why}`)
        if (Object.keys(outcome.values).length === 0) return
        waiting.push({ job, evidence: hashesOf(artifacts), metrics: outcome.values satisfies StageResult['metrics'] })
        if (waiting.length < HANDED_AT_ONCE) return
        const full = waiting
        waiting = []
        await handIn(full)
      } catch (error) {
        if (!(error instanceof StageFailure)) throw error
        problem(error.message)
      } finally {
        onDone()
      }
    })
    await handIn(waiting)
  } finally {
    for (const sha256 of fetched) await store.remove(sha256)
  }
  return found
}

async function fetchAll(
  transfer: Omit<Transfer, 'onProgress'>,
  artifacts: Record<string, ArtifactRef>,
  fetched: Set<string>,
): Promise<void> {
  for (const [name, ref] of Object.entries(artifacts)) {
    if (await transfer.store.has(ref.sha256)) continue
    fetched.add(ref.sha256)
    await downloadArtifact({ ...transfer, onProgress: () => {} }, name, ref)
  }
}

const hashesOf = (artifacts: Record<string, ArtifactRef>) =>
  Object.fromEntries(Object.entries(artifacts).map(([name, { sha256 }]) => [name, sha256]))
