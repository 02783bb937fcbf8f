/** The process of one stage: told what to run, it answers with progress, log lines and then a result or an error. It stops
 *  when told to, and when the runner that started it is gone; signals are the runner's business. */

import { useProxies } from '../machine/proxy.ts'
import { runStage } from '../pipeline/run-stage.ts'
import { dataLoader } from '../stages/data.ts'
import { localFaultOf } from '../store/local-fault.ts'
import { openStore } from '../store/store.ts'
import { failureOf } from './failure.ts'
import type { FromStage, StageOrder, ToStage } from './stage-messages.ts'

const controller = new AbortController()
const tell = (message: FromStage) =>
  new Promise<void>((sent) => process.send!(message, undefined, undefined, () => sent()))

process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(1))
process.on('message', async (message: ToStage) => {
  if (message.kind === 'abort') {
    controller.abort(new Error('the runner stops this stage'))
    return
  }
  await tell(await answerTo(message.order))
  process.exit(0)
})

async function answerTo({
  spec,
  inputs,
  metrics,
  retrain,
  home,
  places,
  threads,
  provider,
  checkpointEveryMs,
}: StageOrder): Promise<FromStage> {
  try {
    await useProxies()
    const { result, reused } = await runStage(spec, {
      store: openStore(home),
      data: dataLoader(places),
      places,
      inputs: async (key) => inputs[key] ?? {},
      metrics,
      retrain,
      threads,
      provider,
      checkpointEveryMs,
      ownProcess: true,
      signal: controller.signal,
      onProgress: (progress) => void tell({ kind: 'progress', progress }),
      log: (line) => void tell({ kind: 'log', line }),
    })
    return { kind: 'result', result, reused }
  } catch (error) {
    const fault = localFaultOf(error)
    if (fault) return { kind: 'local-fault', message: fault.message }
    const { reason, message, was } = failureOf(error)
    if (reason === 'evaluator_bug' && error instanceof Error && error.stack)
      await tell({ kind: 'log', line: error.stack })
    return { kind: 'error', reason, message, was }
  }
}
