/** Runs of a server watched from where its runner works: its stages as they go on, each run as it ends. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Submission } from '../../../schema/api/submission.ts'
import type { PlannedStage } from '../../../schema/plan.ts'
import type { Api } from '../../agent/api.ts'
import { UnreachableError } from '../../agent/client.ts'
import type { AgentEvent } from '../../agent/job-context.ts'
import { apiRunLine } from '../../terminal/api-run.ts'
import { styled } from '../../terminal/output.ts'
import { type ProgressView, showProgress } from '../../terminal/progress.ts'
import { stageLabel, workOf } from '../../terminal/stages.ts'

export interface WatchedRun {
  id: string
  name: string
  state: Submission['runs'][number]['state']
  submission: string
  stages: PlannedStage[]
}

const isOpen = ({ state }: WatchedRun) => state === 'queued' || state === 'running'

const POLL_MS = 2000
/** Between two looks at every submission, however many there are; in between those are asked whose stages ended here. */
const ALL_EVERY_MS = 30_000

/** Shows the runner's work and each run's end. The server says what is done; the runner's events say how it goes. */
export async function watchRuns(api: Api, runs: WatchedRun[]) {
  const stages = new Map<string, PlannedStage & { name: string }>()
  for (const { stages: planned, name } of runs) {
    for (const stage of planned) if (!stages.has(stage.key)) stages.set(stage.key, { ...stage, name })
  }
  const pending = await pendingOf(api, runs)
  const all = [...stages.values()]
  const work = await workOf(all)
  const done = [...work].flatMap(([key, own]) => (pending.has(key) ? [] : [own]))
  const view: ProgressView = showProgress({ all: [...work.values()], done })
  view.idle('starting the runner')
  const wake = { now: () => {} }
  /** Submissions of which a stage ended since they were last asked. */
  const touched = new Set<string>()
  const touch = (key: string) => {
    for (const { stages, submission } of runs) if (stages.at(-1)!.key === key) touched.add(submission)
    wake.now()
  }

  const onEvent = (event: AgentEvent) => {
    if (event.kind === 'trouble') view.line(`${styled('yellow', '!')} ${event.message}`)
    if (event.kind === 'idle') view.idle('waiting for a job')
    if (!('key' in event)) return
    const stage = stages.get(event.key)
    if (!stage) return
    if (event.kind === 'leased') {
      view.begin({
        label: stageLabel(stage.spec, stage.spec.kind === 'train' ? undefined : stage.name),
        work: work.get(stage.key)!,
      })
    } else if (event.kind === 'progress') view.update(event.progress)
    else if (event.kind === 'done') {
      if (pending.delete(event.key)) view.end({ work: work.get(stage.key)!, reused: event.reused })
      touch(event.key)
    } else if (event.kind !== 'log') {
      view.drop()
      if (event.kind === 'released' && event.reason === 'interrupted') return
      const why = 'message' in event ? `${event.message}` : event.reason
      view.line(`${styled('yellow', '!')} ${stageLabel(stage.spec, stage.name)}: ${event.kind}: ${why}`)
      for (const { submission } of runs) touched.add(submission)
      wake.now()
    }
  }

  return {
    onEvent,
    onLoss(message: string) {
      view.drop()
      view.line(`${styled('yellow', '!')} ${message}`)
    },
    async untilDone(signal: AbortSignal): Promise<void> {
      const look = async (open: WatchedRun[]) => {
        const states = new Map<string, WatchedRun['state']>()
        for (const id of new Set(open.map(({ submission }) => submission))) {
          for (const run of (await api.submission(id)).runs) states.set(run.id, run.state)
        }
        for (const run of open) {
          const state = states.get(run.id) ?? run.state
          if (state !== 'queued' && state !== 'running') view.line(apiRunLine(await api.run(run.id)))
          run.state = state
        }
      }
      let silent = false
      let lookedAtAll = Number.NEGATIVE_INFINITY
      while (runs.some(isOpen)) {
        const woken = new Promise<void>((resolve) => {
          wake.now = resolve
        })
        const pause = new AbortController()
        await Promise.race([
          woken,
          sleep(POLL_MS, undefined, { signal: AbortSignal.any([signal, pause.signal]) }).catch(() => {}),
        ])
        pause.abort()
        signal.throwIfAborted()
        try {
          const all = performance.now() - lookedAtAll >= ALL_EVERY_MS
          const asked = new Set(touched)
          await look(runs.filter((run) => isOpen(run) && (all || asked.has(run.submission))))
          for (const submission of asked) touched.delete(submission)
          if (all) lookedAtAll = performance.now()
          silent = false
        } catch (error) {
          // While its process lives, a busy server may answer again; the runner keeps its work meanwhile.
          if (!(error instanceof UnreachableError)) throw error
          if (!silent) view.line(`${styled('yellow', '!')} ${error.message}; waiting for it`)
          silent = true
        }
      }
    },
    stop: view.stop,
  }
}

/** Keys of stages that are not done. The queue names no more than so many runs: of others all stages are taken for pending. */
async function pendingOf(api: Api, runs: WatchedRun[]): Promise<Set<string>> {
  const { running, waiting } = await api.queue()
  const named = new Set([...running, ...waiting].map(({ run }) => run))
  const others = runs.filter((run) => isOpen(run) && !named.has(run.id))
  return new Set([
    ...running.map(({ key }) => key),
    ...waiting.flatMap(({ stages }) => stages),
    ...others.flatMap(({ stages }) => stages.map(({ key }) => key)),
  ])
}
