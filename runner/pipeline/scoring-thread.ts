/** The thread of scoring.ts: evidence from the store to values, one order at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Multiply } from '../science/matrix.ts'
import type { MetricTools } from '../science/metric.ts'
import { type Beside, withoutRetrain } from '../science/pair.ts'
import { plainShuffles, plainSvc } from '../science/plain-tools.ts'
import { metricNamed, scoreEach } from '../science/score.ts'
import { openStore } from '../store/store.ts'
import { readEvidence, readRetrain } from './evidence.ts'
import type { ScoreOrder, ScoreOutcome } from './scoring.ts'
import { scienceTask } from './tasks.ts'

const store = openStore((workerData as { home: string }).home)

let opened: Promise<Multiply> | undefined
/** The engine is loaded for the first product: metrics of a classifier's answers never need it. */
const open = () => {
  opened ??= import('../engine/linear-algebra.ts').then(
    ({ openLinearAlgebra }) => openLinearAlgebra({ threads: 1 }).multiply,
  )
  return opened
}
const tools: MetricTools = {
  fitSvc: plainSvc,
  multiply: async (...matrices) => (await open())(...matrices),
  shuffles: plainShuffles,
}

async function outcomeOf({ task, artifacts, identities, retrain }: ScoreOrder): Promise<ScoreOutcome> {
  const science = scienceTask(task)
  let evidence: unknown
  try {
    evidence = await readEvidence(science, artifacts, store)
  } catch (error) {
    return { trouble: (error as Error).message }
  }
  let reference: Beside | undefined
  let missing: string | null = null
  try {
    reference = await readRetrain(science, artifacts, { store, retrain })
  } catch (error) {
    missing = `the evidence of retrain: ${(error as Error).message}`
  }
  const { values, unscored } = await scoreEach(science, evidence, identities, () => tools, { reference })
  const whyNot = (named: string) =>
    missing !== null && metricNamed(science, withoutRetrain(named))?.[1].against ? missing : null
  return { values, unscored: unscored.map(({ named, error }) => ({ named, why: whyNot(named) ?? error.message })) }
}

parentPort!.on('message', async (order: ScoreOrder) => parentPort!.postMessage(await outcomeOf(order)))
