/** A state as icon and word; colour never alone. */
import type { RunState, RunSummary } from '../../schema/api/submission.ts'
import type { JobState } from '../../schema/tables/jobs.ts'
import { count } from './numbers.ts'

const icons: Record<RunState, string> = {
  queued: 'M8 3.5v5l3 2M8 1.5a6.5 6.5 0 1 0 .01 0',
  running: 'M5 3v10l8-5z',
  done: 'M2.5 8.5l3.5 3.5 7.5-8',
  failed: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  cancelled: 'M3 8h10',
}

const words: Record<RunState, string> = {
  queued: 'Waiting',
  running: 'Running',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

export const wordOf = (state: RunState): string => words[state]

/** Jobs say "leased" where runs say "running". */
export const asRunState = (state: JobState): RunState => (state === 'leased' ? 'running' : state)

export const Icon = ({ state }: { state: RunState }) => (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <path
      d={icons[state]}
      fill={state === 'running' ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
)

export const StateWord = ({ state, badge = false }: { state: RunState; badge?: boolean }) => (
  <span class={`state ${state}${badge ? ' badge' : ''}`}>
    <Icon state={state} />
    {words[state]}
  </span>
)

export const unfinished = (runs: RunSummary[]): boolean =>
  runs.some(({ state }) => state === 'queued' || state === 'running')

/** "2 of 3 seeds done, 1 running"; null when all are done. */
export function progressWords(runs: RunSummary[], what = 'seeds'): string | null {
  const of = (state: RunState) => runs.filter((run) => run.state === state).length
  const done = of('done')
  if (done === runs.length) return null
  const rest = (['running', 'queued', 'failed', 'cancelled'] as const).flatMap((state) =>
    of(state) > 0 ? [`${count(of(state))} ${words[state].toLowerCase()}`] : [],
  )
  return `${count(done)} of ${count(runs.length)} ${what} done, ${rest.join(', ')}`
}
