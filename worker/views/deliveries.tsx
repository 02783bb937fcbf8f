/** What happened to each delivery of a stage: in a sentence, and folded below it one by one. */
import type { Delivery, Run, RunStage } from '../../schema/api/run.ts'
import { logPage } from './log.tsx'
import { count, utc } from './numbers.ts'

/** Deliveries one after the other that ended in the same way. */
interface Streak {
  outcome: Delivery['outcome']
  reason: Delivery['reason']
  message: string | null
  deliveries: Delivery[]
}

function streaksOf(history: Delivery[]): Streak[] {
  const streaks: Streak[] = []
  for (const delivery of history) {
    const { outcome, reason, message } = delivery
    const last = streaks.at(-1)
    if (last?.outcome === outcome && last.reason === reason && last.message === message) last.deliveries.push(delivery)
    else streaks.push({ outcome, reason, message, deliveries: [delivery] })
  }
  return streaks
}

const times = (n: number) => (n === 1 ? 'once' : n === 2 ? 'twice' : `${count(n)} times`)

const words: Record<Delivery['outcome'], (n: number) => string> = {
  running: () => 'running now',
  done: () => 'done',
  failed: (n) => `failed ${times(n)}`,
  lost: (n) => `lost ${times(n)}`,
  released: (n) => `given back ${times(n)}`,
  cancelled: () => 'cancelled',
  'set-aside': (n) => `set aside ${n === 1 ? 'after it was done' : times(n)}`,
}

/** "Lost 50 times, then done". */
export function historyWords(history: Delivery[]): string {
  const parts = streaksOf(history).map(({ outcome, deliveries }) => words[outcome](deliveries.length))
  const text =
    parts.length > 6 ? `${parts.slice(0, 2).join(', then ')}, …, then ${parts.at(-1)}` : parts.join(', then ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export const reasonWords = (reason: Delivery['reason']): string => reason?.replaceAll('_', ' ') ?? ''

const Attempts = ({ deliveries }: { deliveries: Delivery[] }) => {
  const [first, last] = [deliveries[0]!, deliveries.at(-1)!]
  const range =
    first === last ? `Attempt ${count(first.attempt)}` : `Attempts ${count(first.attempt)} to ${count(last.attempt)}`
  const runners = [...new Set(deliveries.map(({ runner }) => runner))]
  const named = runners.slice(0, 3).join(', ') + (runners.length > 3 ? ` and ${count(runners.length - 3)} more` : '')
  return (
    <>
      {range} on {named}, from <time datetime={first.leasedAt}>{utc(first.leasedAt)}</time>
      {last.endedAt && (
        <>
          {' '}
          to <time datetime={last.endedAt}>{utc(last.endedAt)}</time>
        </>
      )}
    </>
  )
}

/** Nothing where a stage was delivered once and went well. */
export const Deliveries = ({ run, stage }: { run: Run; stage: RunStage }) => {
  const { history } = stage
  if (history.every(({ outcome }) => outcome === 'done' || outcome === 'running') && history.length < 2) return null
  const number = run.stages.indexOf(stage) + 1
  const free = history.some(({ outcome }) => outcome === 'lost' || outcome === 'released')
  return (
    <details class="note">
      <summary>{historyWords(history)}</summary>
      {free && <p class="small">Attempts that were lost or given back cost the submitter nothing.</p>}
      <ol class="list">
        {streaksOf(history).map(({ outcome, reason, message, deliveries }) => {
          const written = deliveries.findLast(({ logBytes }) => logBytes > 0)
          const late = deliveries.filter(({ lateResultAt }) => lateResultAt).length
          return (
            <li>
              <div>
                <Attempts deliveries={deliveries} />: {words[outcome](deliveries.length)}
                {reason && `, ${reasonWords(reason)}`}
                {message && `: ${message}`}
                {late > 0 && '. A result came after the lease had ended: it is kept as evidence and not scored.'}
                {deliveries[0]!.nextStep && <p class="small">{deliveries[0]!.nextStep}</p>}
              </div>
              {written && <a href={logPage({ run: run.id, stage: number, attempt: written.attempt })}>Log</a>}
            </li>
          )
        })}
      </ol>
    </details>
  )
}
