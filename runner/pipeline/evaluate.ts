/** The evaluate stage: what a model answers on D_f, D_r and the test set becomes evidence; metrics follow from evidence. */

import type { Progress, StageResult } from '../../schema/result.ts'
import type { EvaluateStage } from '../../schema/stage.ts'
import { svcWith } from '../engine/svc.ts'
import { createTrainer } from '../engine/training/trainer.ts'
import type { Split } from '../science/dataset.ts'
import type { Evidence, MetricDefinition } from '../science/metric.ts'
import * as metrics from '../science/metrics/classification/index.ts'
import { startClock } from '../stages/clock.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import { networkFor } from '../stages/data.ts'
import { splitOf } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { loadWeights } from '../stages/weights.ts'
import { encodeEvidence } from '../tasks/classification/evidence.ts'

export const EVIDENCE = 'evidence.safetensors'

export async function evaluate(spec: EvaluateStage, context: StageContext): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress } = context
  const total = startClock()
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { dataset } = loaded
  const classes = dataset.classes.length
  const network = networkFor(spec.model, loaded)
  const state = await loadWeights(store, network, await context.inputs(spec.weights))
  const { forget, retain } = splitOf(dataset.train.labels, dataset.classes, spec)
  const common = {
    network,
    seed: spec.seed,
    purpose: 'evaluate',
    augment: false,
    threads,
    provider,
    signal,
    onProgress,
  }
  const trainer = createTrainer({ ...common, train: dataset.train, state })
  try {
    const before = total()
    const ask = async (split: Split, items: Int32Array, phase: string) => ({
      logits: await trainer.answer(split, items, phase),
      labels: Uint8Array.from(items, (item) => split.labels[item]!),
    })
    const evidence: Evidence = {
      classes,
      forget: await ask(dataset.train, forget, 'answers on D_f'),
      retain: await ask(dataset.train, retain, 'answers on D_r'),
      test: await ask(dataset.test, Int32Array.from(dataset.test.labels.keys()), 'answers on the test set'),
      forgottenClass: spec.request.kind === 'class' ? spec.request.label : null,
    }
    const artifacts = { [EVIDENCE]: await store.put(encodeEvidence(evidence)) }
    onProgress({ phase: 'metrics', done: 0, total: spec.metrics.length, unit: 'metrics' })
    const values = await scoreEvidence(evidence, spec.metrics, onProgress)
    for (const [id, { value }] of Object.entries(values)) log(`${id} ${value.toFixed(4)}`)
    const compile = trainer.seconds().compile
    return { artifacts, metrics: values, seconds: { setUp: before + compile, evaluate: total() - before - compile } }
  } finally {
    await trainer.release()
  }
}

const registry: Record<string, MetricDefinition> = metrics

/** Computes metrics, named by identity, from evidence. Throws for an identity that this release does not compute. */
export async function scoreEvidence(
  evidence: Evidence,
  identities: string[],
  onProgress: (progress: Progress) => void = () => {},
): Promise<StageResult['metrics']> {
  const values: StageResult['metrics'] = {}
  for (const identity of identities) {
    const found = Object.entries(registry).find(([, metric]) => metric.identity === identity)
    if (!found)
      throw new ConfigurationError(
        `no metric ${identity}; known: ${Object.values(registry)
          .map((metric) => metric.identity)
          .join(', ')}`,
      )
    const [id, metric] = found
    values[id] = { identity, value: await metric.compute(evidence, { fitSvc: svcWith(onProgress) }) }
  }
  return values
}
