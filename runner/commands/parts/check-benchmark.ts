/** What can be told of a benchmark before anything is computed. */
import type { z } from 'zod'
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { ModelRef } from '../../../schema/parts/recipe.ts'
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { datasets, denoisers, generationMetrics, lookUp, metrics, models } from '../../pipeline/catalogue.ts'
import { CANONICAL_EXTRACTOR, generationMetricNamed } from '../../science/tasks/generation/evidence.ts'
import type { dataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { UsageError } from '../../words/usage.ts'

/** Everything that can be told before anything is loaded. */
export function checkBenchmark({ slug, dataset, model, request, generation, metrics: identities }: Benchmark): void {
  lookUp('dataset', datasets, dataset.id)
  if (generation) {
    if (request.kind !== 'class')
      throw new UsageError(`${slug}: image generation forgets a class; its request is ${request.kind}`)
    checkParams('denoiser', model, lookUp('denoiser', denoisers, model.id).params)
    const { model: judge } = generation.judge
    checkParams('model', judge, lookUp('model', models, judge.id).params)
    for (const identity of identities) {
      if (generationMetricNamed(generationMetrics, identity)) continue
      const known = [...generationMetrics.values()].map(({ named }) => named).join(', ')
      throw new UsageError(`no metric of generated images is named ${identity}; known: ${known}`)
    }
    return
  }
  checkParams('model', model, lookUp('model', models, model.id).params)
  const known = new Map([...metrics.values()].map((metric) => [metric.identity, metric]))
  for (const identity of identities) lookUp('metric', known, identity)
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
