/** Ctrl-C and SIGTERM: the first asks to stop, the second ends the process at once. */
import { Interrupted } from '../../words/usage.ts'

export interface Interrupts {
  /** Aborted with Interrupted. */
  signal: AbortSignal
  release(): void
}

export function onInterrupts(onFirst: (error: Interrupted) => void = () => {}): Interrupts {
  const controller = new AbortController()
  const handle = (name: 'SIGINT' | 'SIGTERM') => {
    const error = new Interrupted(name)
    if (controller.signal.aborted) process.exit(error.exitCode)
    controller.abort(error)
    onFirst(error)
  }
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.on(name, handle)
  return {
    signal: controller.signal,
    release() {
      for (const name of names) process.off(name, handle)
    },
  }
}
