/** The stages of a run: icon, word, duration, progress. */
import type { Run, RunStage } from '../../schema/api/run.ts'
import type { Progress, Seconds } from '../../schema/result.ts'
import { Deliveries } from './deliveries.tsx'
import { count, decimal, duration, plural } from './numbers.ts'
import { asRunState, StateWord, wordOf } from './state.tsx'

export interface ShownStage extends RunStage {
  /** What it does, in the words of its task. */
  title: string
}

export interface ShownRun extends Omit<Run, 'stages'> {
  stages: ShownStage[]
}

export const totalOf = (seconds: Seconds): number =>
  Object.values(seconds).reduce<number>((sum, part) => sum + (part ?? 0), 0)

export const StageProgress = ({ progress: { phase, done, total, unit, loss } }: { progress: Progress }) => {
  const words = `${phase}: ${unit} ${count(done)} of ${count(total)}`
  return (
    <>
      <progress value={done} max={total || 1} aria-label={words} /> {words}
      {loss !== undefined && `, loss ${decimal(loss, 4)}`}
    </>
  )
}

const Where = ({ stage: { runner, shared, state } }: { stage: RunStage }) => {
  const parts = [
    runner && state !== 'queued' ? `on ${runner}` : '',
    shared ? 'shared with an earlier submission' : '',
  ].filter(Boolean)
  return parts.length > 0 ? <div class="note">{parts.join(', ')}</div> : null
}

/** What another runner found. */
const Repeated = ({ stage: { repeat } }: { stage: RunStage }) =>
  repeat && (
    <div class={repeat.verdict === 'differs' ? 'note warn' : 'note'}>
      computed again by {repeat.runner ?? 'another runner'}, whose result {repeat.verdict}: {repeat.detail}
    </div>
  )

const waitingFor = (run: Run, index: number) =>
  run.stages.slice(0, index).some(({ state }) => state !== 'done') ? 'the stage before it' : 'a runner'

/** How far a run is, for those who cannot see it change. */
export function standing({ stages, state }: ShownRun): string {
  const running = stages.find((stage) => stage.state === 'leased')
  const done = stages.filter((stage) => stage.state === 'done').length
  return `${wordOf(state)}: ${done} of ${plural(stages.length, 'stage')} done${running ? `; now: ${running.title}` : ''}.`
}

export const StageList = ({ run }: { run: ShownRun }) => (
  <ol class="stages">
    {run.stages.map((stage, index) => (
      <li>
        <span class="what">
          {stage.title} <StateWord state={asRunState(stage.state)} />
        </span>
        <span class="took">
          {stage.seconds
            ? duration(totalOf(stage.seconds))
            : stage.state === 'queued'
              ? `waits for ${waitingFor(run, index)}`
              : ''}
        </span>
        {stage.state === 'leased' && (
          <div class="note" data-progress={stage.key}>
            {stage.progress && <StageProgress progress={stage.progress} />}
          </div>
        )}
        <Where stage={stage} />
        <Repeated stage={stage} />
        <Deliveries run={run} stage={stage} />
      </li>
    ))}
  </ol>
)
