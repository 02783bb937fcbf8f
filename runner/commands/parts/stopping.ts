/** How a runner stops. The first SIGTERM or Ctrl-C: lease nothing new, and finish the job at hand until a deadline. The
 *  deadline, or a second signal: stop the job and give it back. A third one ends the process at once. */
import { Interrupted } from '../../words/usage.ts'

export interface Draining {
  /** Aborted by the first signal, with Interrupted. */
  drain: AbortSignal
  /** Aborted by the second one, and at the deadline. */
  stop: AbortSignal
  release(): void
}

export interface DrainingOptions {
  /** From the first signal to the deadline. */
  drainMs: number
  onDrain(): void
  onStop(): void
}

export function onDraining({ drainMs, onDrain, onStop }: DrainingOptions): Draining {
  const [drain, stop] = [new AbortController(), new AbortController()]
  let deadline: NodeJS.Timeout | undefined
  const end = (error: Interrupted) => {
    clearTimeout(deadline)
    if (stop.signal.aborted) return
    onStop()
    stop.abort(error)
  }
  const handle = (name: 'SIGINT' | 'SIGTERM') => {
    const error = new Interrupted(name)
    if (stop.signal.aborted) process.exit(error.exitCode)
    if (drain.signal.aborted) return end(error)
    drain.abort(error)
    if (drainMs === 0) return end(error)
    onDrain()
    deadline = setTimeout(() => end(error), drainMs)
  }
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.on(name, handle)
  return {
    drain: drain.signal,
    stop: stop.signal,
    release() {
      clearTimeout(deadline)
      for (const name of names) process.off(name, handle)
    },
  }
}
