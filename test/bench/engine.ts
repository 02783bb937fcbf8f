/** The engine's side of a comparison: a process that runs the training steps of one case. Arguments: case, threads. */
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { onnxruntimeVersion, openSession } from '../../runner/engine/onnx/session.ts'
import { cases } from './cases.ts'
import type { farewell, ready, timing } from './worker.ts'

const [name, threads] = process.argv.slice(2)
const { program, feeds, steps } = cases.get(name!)!
const say = (words: z.infer<typeof ready> | z.infer<typeof timing> | z.infer<typeof farewell>) =>
  console.log(JSON.stringify(words))

const begun = performance.now()
const session = await openSession(program(), { threads: Number(threads) })
say({ runtime: `onnxruntime ${onnxruntimeVersion()}`, setUpMs: performance.now() - begun })
const inputs = new Map([1, steps].map((count) => [count, feeds(count)]))
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line)
  const start = performance.now()
  const { losses } = await session.run(inputs.get(count) ?? feeds(count))
  say({ ms: (performance.now() - start) / count, loss: Number(losses!.data[0]) })
}
say({ peakMiB: process.resourceUsage().maxRSS / 1024 })
