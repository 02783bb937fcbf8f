/** The queue: what runs, what waits and why, until when, and which runners there are. */
import type { Estimate, Queue, RunningStage, WaitingRun } from '../../../schema/api/queue.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { isReadableBy } from '../parts/readable.ts'
import { durationsOf } from './durations.ts'
import { FORECAST_STAGES, type Forecast } from './forecast.ts'
import { keptForecast } from './kept-forecast.ts'
import { isQueued, type Line, lineOf, takersOf } from './line.ts'
import { type OpenStage, openStages } from './open-stages.ts'
import { knownRunners } from './runners.ts'
import { whyWaits } from './waiting.ts'

type WantedBy = OpenStage['wantedBy'][number]

const SHOWN = 200

/** Private submissions take their turns and are counted, but only those who may read them see them. */
export async function getQueue(db: Database, viewer: Viewer, now: number): Promise<Queue> {
  const { stages, runners, times, durations } = await forecastQueue(db, now)
  const running = stages.filter(({ state }) => state === 'leased')
  const waiting = waitingParts(stages)
  const line = lineOf(stages, runners)
  const readable = <Part>(all: Part[], rowOf: (part: Part) => WantedBy): Part[] =>
    all.filter((part) => isReadableBy(viewer, rowOf(part))).slice(0, SHOWN)
  return {
    running: readable(running, ({ wantedBy }) => wantedBy[0]!).map((stage) => runningOf(stage, times.get(stage.key))),
    waiting: readable(waiting, ({ row }) => row).map((parts) => waitingOf(parts, { line, times, durations })),
    counts: { running: running.length, waiting: waiting.length },
    runners: runners.map(({ id: _, able: __, ...shown }) => shown),
  }
}

/** How many stages run, runs wait and runners there are. Without estimates, which cost more than all else. */
export async function queueCounts(db: Database, now: number) {
  const [stages, runners] = await Promise.all([openStages(db), knownRunners(db, now)])
  const running = stages.filter(({ state }) => state === 'leased').length
  return { running, waiting: waitingParts(stages).length, runners: runners.length }
}

/** Why the runs of a submission wait. */
export async function waitingRunsOf(db: Database, submission: string, now: number): Promise<WaitingRun[]> {
  const { stages, runners, times, durations } = await forecastQueue(db, now)
  const line = lineOf(stages, runners)
  return waitingParts(stages)
    .filter(({ row }) => row.submission === submission)
    .map((parts) => waitingOf(parts, { line, times, durations }))
}

/** Seconds until the first run of an author, or of all, is expected to end; null without an estimate. */
export async function secondsUntilRunEnds(db: Database, author: string | null, now: number): Promise<number | null> {
  const { stages, times } = await forecastQueue(db, now)
  const ends = new Map<string, number>()
  for (const { key, wantedBy } of stages) {
    for (const { run } of wantedBy.filter((row) => author === null || row.author === author)) {
      ends.set(run, Math.max(ends.get(run) ?? 0, times.get(key)?.ends.median ?? Number.POSITIVE_INFINITY))
    }
  }
  const first = Math.min(...ends.values())
  return Number.isFinite(first) ? first : null
}

async function forecastQueue(db: Database, now: number) {
  const [stages, runners] = await Promise.all([openStages(db), knownRunners(db, now)])
  const durations = await durationsOf(db, [...new Set(stages.map(({ likeness }) => likeness))])
  const takers = takersOf(runners)
  const times = keptForecast(
    stages.slice(0, FORECAST_STAGES).map((stage) => ({
      key: stage.key,
      durations: durations.get(stage.likeness) ?? [],
      after: stage.after,
      runners: takers(stage).map(({ id }) => id),
      ...(stage.state === 'leased' && {
        running: { runner: stage.runnerId!, forSeconds: (now - (stage.startedAt ?? now)) / 1000 },
      }),
    })),
    runners.map(({ id }) => id),
    now,
  )
  return { stages, runners, times, durations }
}

const aboutOf = ({ key, kind, run, submission, benchmark, method, label, author, seed }: WantedBy) => ({
  key,
  kind,
  run,
  submission,
  benchmark,
  method,
  label,
  author,
  seed,
})

const runningOf = (stage: OpenStage, time: Forecast | undefined): RunningStage => ({
  ...aboutOf(stage),
  runner: stage.runner ?? '',
  progress: stage.progress,
  remaining: time?.ends ?? null,
  since: isoTime(stage.startedAt ?? stage.createdAt),
})

interface WaitingParts {
  row: WantedBy
  /** The one that comes next. */
  stage: OpenStage
  /** In the order of leasing. */
  open: OpenStage[]
  /** In the queue, counted from 1. */
  place: number
}

/** Runs none of whose stages runs for them, in the order in which their stages come. */
function waitingParts(stages: OpenStage[]): WaitingParts[] {
  const served = new Set(stages.filter(({ state }) => state === 'leased').map(({ run }) => run))
  const byRun = new Map<string, WaitingParts & { position: number }>()
  for (const stage of [...stages.filter(isQueued), ...stages.filter((stage) => !isQueued(stage))]) {
    for (const row of stage.wantedBy) {
      if (served.has(row.run)) continue
      const place = byRun.size + 1
      const known = byRun.get(row.run) ?? { row, stage, open: [], place, position: row.position }
      known.open.push(stage)
      byRun.set(row.run, row.position < known.position ? { ...known, stage, position: row.position } : known)
    }
  }
  return [...byRun.values()]
}

interface Around {
  line: Line
  times: Map<string, Forecast>
  durations: Map<string, number[]>
}

function waitingOf(parts: WaitingParts, { line, times, durations }: Around): WaitingRun {
  const { row, stage, open, place } = parts
  const { reason, words, matching } = whyWaits(line.before(stage), line.candidates(stage))
  return {
    ...aboutOf(row),
    key: stage.key,
    kind: stage.kind,
    since: isoTime(row.createdAt),
    priority: row.priority,
    position: place,
    reason,
    words,
    requires: stage.requires ?? {},
    matchingRunners: matching.length,
    estimate: estimateOf(parts, times, durations.get(stage.likeness)?.length ?? 0),
    stages: open.map(({ key }) => key),
  }
}

/** A run ends with the last of its open stages. */
function estimateOf({ stage, open }: WaitingParts, times: Map<string, Forecast>, basedOn: number): Estimate | null {
  const first = times.get(stage.key)
  if (!first) return null
  const all = open.map(({ key }) => times.get(key))
  const last = (quantile: 'median' | 'p90') => Math.max(...all.map((time) => time!.ends[quantile]))
  const ends = all.every(Boolean) ? { median: last('median'), p90: last('p90') } : null
  return { begins: first.begins, ends, basedOn }
}
