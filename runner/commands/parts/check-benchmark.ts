/** What can be told of a benchmark before anything is computed. */
import type { z } from 'zod'
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { datasets, denoisers, lookUp, models } from '../../pipeline/catalogue.ts'
import { metricNamed, metricsOf } from '../../science/catalogue.ts'
import { CANONICAL_EXTRACTOR } from '../../science/tasks/generation/evidence.ts'
import type { dataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { noSuch } from '../../words/nearest.ts'
import { UsageError } from '../../words/usage.ts'

/** Everything that can be told before anything is loaded. */
export function checkBenchmark(benchmark: Benchmark): void {
  const { slug, dataset, model, request, generation, metrics } = benchmark
  lookUp('dataset', datasets, dataset.id)
  if (generation) {
    if (request.kind !== 'class')
      throw new UsageError(`${slug}: image generation forgets a class; its request is ${request.kind}`)
    checkParams('denoiser', model, lookUp('denoiser', denoisers, model.id).params)
    const { model: judge } = generation.judge
    checkParams('model', judge, lookUp('model', models, judge.id).params)
  } else checkParams('model', model, lookUp('model', models, model.id).params)
  const task = taskOf(benchmark)
  for (const identity of metrics) {
    if (metricNamed(task, identity)) continue
    const known = [...metricsOf(task).values()].map(({ named }) => named)
    throw new UsageError(noSuch(`metric of ${task}`, identity, known))
  }
}

function checkParams(kind: string, { id, params }: ModelRef, shape: z.ZodType): void {
  const { error } = shape.safeParse(params)
  if (!error) return
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new UsageError(`${kind} ${id}: ${issues.join('; ')}`)
}

/** Weights that only the last stage needs are asked for first: a missing file should not be found out after days. */
export async function checkExtractor(
  { generation, dataset }: Benchmark,
  places: ReturnType<typeof dataPlaces>,
  signal: AbortSignal,
): Promise<void> {
  if (generation?.extractor !== CANONICAL_EXTRACTOR) return
  note(`${dataset.id} is measured by Inception-v3: looking for its weights.`)
  await loadInceptionWeights(inceptionV3([3, 32, 32]), { ...places, signal })
}
