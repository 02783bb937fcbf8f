/** A child process that answers requests for training steps, one JSON line each; both sides of a comparison speak so. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'

export const ready = z.object({
  /** What runs the steps, with its version. */
  runtime: z.string(),
  /** Building, differentiating and compiling. */
  setUpMs: z.number(),
})
export const timing = z.object({ ms: z.number(), loss: z.number() })
export const farewell = z.object({ peakMiB: z.number() })

export interface StepWorker extends z.infer<typeof ready> {
  /** Runs steps from the initial state: ms of one, and the loss of the first. */
  time(steps: number): Promise<z.infer<typeof timing>>
  /** Ends the process; gives the most memory that it held. */
  end(): Promise<z.infer<typeof farewell>>
  /** Ends the process at once. */
  stop(): void
}

export async function startWorker(command: string, args: readonly string[]): Promise<StepWorker> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async <T>(shape: z.ZodType<T>): Promise<T> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command} ${args.join(' ')} ended before it answered; its own words are above`)
    return shape.parse(JSON.parse(value))
  }
  const first = await answer(ready)
  return {
    ...first,
    async time(steps) {
      child.stdin.write(`${steps}\n`)
      return answer(timing)
    },
    async end() {
      child.stdin.end()
      const last = await answer(farewell)
      if (child.exitCode === null) await once(child, 'exit')
      return last
    },
    stop: () => void child.kill(),
  }
}
