/** The queue: what runs, what waits and why, until when, and which runners there are. */
import type { Estimate, Queue, RunningStage, WaitingRun } from '../../../schema/api/queue.ts'
import { meets, type Needs } from '../../../schema/requirements.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import type { Viewer } from '../../bindings/env.ts'
import { isReadableBy } from '../parts/readable.ts'
import { durationsOf } from './durations.ts'
import { type Forecast, forecast } from './forecast.ts'
import { type OpenStage, openStages } from './open-stages.ts'
import { type KnownRunner, knownRunners } from './runners.ts'
import { type Waiting, whyWaits } from './waiting.ts'

type WantedBy = OpenStage['wantedBy'][number]

const SHOWN = 200

/** Private submissions take their turns and are counted, but only those who may read them see them. */
export async function getQueue(db: Database, viewer: Viewer, now: number): Promise<Queue> {
  const { running, waiting, runners } = await wholeQueue(db, now)
  const readable = <Shown>(all: { row: WantedBy; shown: Shown }[]): Shown[] =>
    all.filter(({ row }) => isReadableBy(viewer, row)).map(({ shown }) => shown)
  return {
    running: readable(running).slice(0, SHOWN),
    waiting: readable(waiting).slice(0, SHOWN),
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
  const { waiting } = await wholeQueue(db, now)
  return waiting.flatMap(({ shown }) => (shown.submission === submission ? shown : []))
}

/** Seconds until the first run of an author, or of all, is expected to end; null without an estimate. */
export async function secondsUntilRunEnds(db: Database, author: string | null, now: number): Promise<number | null> {
  const { stages, times } = await wholeQueue(db, now)
  const ends = new Map<string, number>()
  for (const { key, wantedBy } of stages) {
    for (const { run } of wantedBy.filter((row) => author === null || row.author === author)) {
      ends.set(run, Math.max(ends.get(run) ?? 0, times.get(key)?.ends.median ?? Number.POSITIVE_INFINITY))
    }
  }
  const first = Math.min(...ends.values())
  return Number.isFinite(first) ? first : null
}

async function wholeQueue(db: Database, now: number) {
  const [stages, runners] = await Promise.all([openStages(db), knownRunners(db, now)])
  const durations = await durationsOf(db, [...new Set(stages.map(({ likeness }) => likeness))])
  const seconds = (stage: OpenStage) => durations.get(stage.likeness) ?? []
  const times = forecast(
    stages.map((stage) => ({
      key: stage.key,
      durations: seconds(stage),
      after: stage.after,
      runners: runners.filter((runner) => mayTake(runner, stage)).map(({ id }) => id),
      ...(stage.state === 'leased' && {
        running: { runner: stage.runnerId!, forSeconds: (now - (stage.startedAt ?? now)) / 1000 },
      }),
    })),
    runners.map(({ id }) => id),
  )
  const running = stages.filter(({ state }) => state === 'leased')
  return {
    runners,
    stages,
    times,
    running: running.map((stage) => ({ row: stage.wantedBy[0]!, shown: runningOf(stage, times.get(stage.key)) })),
    waiting: waitingParts(stages).map((parts, index) => {
      const { row, stage, open } = parts
      const { reason, words, matching } = whyWaits(waitingOf(parts, stages, runners), runners)
      const shown: WaitingRun = {
        ...aboutOf(row),
        key: stage.key,
        kind: stage.kind,
        since: isoTime(row.createdAt),
        priority: row.priority,
        position: index + 1,
        reason,
        words,
        requires: stage.requires ?? {},
        matchingRunners: matching.length,
        estimate: estimateOf(parts, times, seconds(stage).length),
        stages: open.map(({ key }) => key),
      }
      return { row, shown }
    }),
  }
}

/** Whether a runner will be given such a stage once it is free. */
const mayTake = ({ able, state, present }: KnownRunner, stage: OpenStage): boolean =>
  state === 'active' && present && able !== null && meets(able, needsOf(stage))

const needsOf = ({ requires, engine }: OpenStage): Needs => ({ ...requires, engine })

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
}

/** Runs none of whose stages runs for them, in the order in which their stages come. */
function waitingParts(stages: OpenStage[]): WaitingParts[] {
  const served = new Set(stages.filter(({ state }) => state === 'leased').map(({ run }) => run))
  const byRun = new Map<string, WaitingParts & { position: number }>()
  for (const stage of [...stages.filter(isQueued), ...stages.filter((stage) => !isQueued(stage))]) {
    for (const row of stage.wantedBy) {
      if (served.has(row.run)) continue
      const known = byRun.get(row.run) ?? { row, stage, open: [], position: row.position }
      known.open.push(stage)
      byRun.set(row.run, row.position < known.position ? { ...known, stage, position: row.position } : known)
    }
  }
  return [...byRun.values()]
}

const isQueued = ({ state }: OpenStage) => state === 'queued'

function waitingOf({ stage }: WaitingParts, stages: OpenStage[], runners: KnownRunner[]): Waiting {
  const ready = stages.filter((other) => isQueued(other) && other.after.length === 0)
  const ahead = ready.slice(0, Math.max(0, ready.indexOf(stage)))
  const idle = runners.filter((runner) => runner.running === 0 && mayTake(runner, stage))
  return {
    kind: stage.kind,
    requires: needsOf(stage),
    sharedOn: isQueued(stage) ? null : stage.runner,
    share: stages.filter(({ state, author }) => state === 'leased' && author === stage.author).length,
    overtaken: ahead.some(
      ({ author, indexUnshared }) => author !== stage.author && indexUnshared > stage.indexUnshared,
    ),
    before: ahead.filter((other) => idle.some((runner) => mayTake(runner, other))).length,
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
