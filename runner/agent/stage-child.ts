/** The process of one stage: told what to run, it answers with progress, log lines and then a result or an error. It stops
 *  when told to, and when the runner that started it is gone; signals are the runner's business. */
import type { StageSpec } from '../../schema/stage.ts'
import { methods, metrics, models } from '../catalogue.ts'
import { ConfigurationError } from '../pipeline/configuration-error.ts'
import { dataLoader } from '../pipeline/data.ts'
import { runStage } from '../pipeline/run-stage.ts'
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

async function answerTo({ spec, inputs, home, places, threads }: StageOrder): Promise<FromStage> {
  try {
    requireKnown(spec)
    const { result, reused } = await runStage(spec, {
      store: openStore(home),
      data: dataLoader(places),
      places,
      inputs: async (key) => inputs[key] ?? {},
      threads,
      signal: controller.signal,
      onProgress: (progress) => void tell({ kind: 'progress', progress }),
      log: (line) => void tell({ kind: 'log', line }),
    })
    return { kind: 'result', result, reused }
  } catch (error) {
    const { reason, message } = failureOf(error)
    if (reason === 'evaluator_bug' && error instanceof Error && error.stack)
      await tell({ kind: 'log', line: error.stack })
    return { kind: 'error', reason, message }
  }
}

/** What can be told from the spec alone, so that a wrong spec is not taken for a fault of this code. */
function requireKnown(spec: StageSpec): void {
  const require = <T>(kind: string, known: ReadonlyMap<string, T>, id: string): T => {
    const found = known.get(id)
    if (found) return found
    throw new ConfigurationError(`no ${kind} ${id} in this release; known: ${[...known.keys()].join(', ')}`)
  }
  // Denoisers have a registry and parameters of their own, which their stages check.
  const classifier = !('denoising' in spec && spec.denoising)
  if (classifier) require('model', models, spec.model.id).params.parse(spec.model.params)
  if (spec.kind === 'unlearn') {
    const { id, version, params } = spec.method
    const method = require('method', methods, id)
    if (method.version !== version) {
      throw new ConfigurationError(
        `the job asks for version ${version} of ${id}, this runner has version ${method.version}; use the release that matches`,
      )
    }
    if (classifier) method.params.parse(params)
  }
  if (spec.kind === 'evaluate') {
    const identities = new Map([...metrics.values()].map((metric) => [metric.identity, metric]))
    for (const identity of spec.metrics) require('metric', identities, identity)
  }
}
