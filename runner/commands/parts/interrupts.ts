/** Ctrl-C and SIGTERM. The first asks to finish what is at hand until a deadline; the deadline, or a second signal, stops it; one
 *  more ends the process at once. A command with nothing to finish stops at the first. */
import { Interrupted } from '../../words/usage.ts'

export interface Interrupts {
  /** Aborted by the first signal, with Interrupted. */
  drain: AbortSignal
  /** Aborted by the second one, and at the deadline. */
  stop: AbortSignal
  release(): void
}

export interface InterruptsOptions {
  /** From the first signal to the deadline. */
  drainMs: number
  onDrain(): void
  onStop(): void
}

export function onDraining({ drainMs, onDrain, onStop }: InterruptsOptions): Interrupts {
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

export function onInterrupts(onStop: () => void = () => {}): { signal: AbortSignal; release(): void } {
  const { stop, release } = onDraining({ drainMs: 0, onDrain: () => {}, onStop })
  return { signal: stop, release }
}
