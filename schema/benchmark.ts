/** Benchmarks: dataset + model + forget request + training recipe + metrics, of one task. */
import { z } from 'zod'
import { datasetRef, forgetRequest, modelRef, slug, trainingRecipe } from './parts/recipe.ts'
import { type Aim, aim, usualAim } from './parts/request.ts'
import { seeding } from './parts/seeding.ts'
import { requirements } from './requirements.ts'
import { taskRef, tasks } from './task.ts'

const shape = {
  slug,
  title: z.string().max(200),
  summary: z.string().max(2000),
  dataset: datasetRef,
  model: modelRef,
  request: forgetRequest,
  /** Left out, it follows from the request: whole classes are unlearned, samples untrained. */
  aim: aim.optional(),
  training: trainingRecipe,
  /** What kind of model forgets; classifiers, unless another is named. */
  task: taskRef,
  /** Defaults of method parameters at this benchmark's scale, by method id; a submission's own values win. */
  presets: z.record(slug, z.record(z.string(), z.unknown())).default({}),
  /** Identities of the metrics shown, in column order; left out, those that are usual for task and aim. Those of generated images depend on what was measured, so only their part
   *  before the first `;` is named. */
  metrics: z.array(z.string()).min(1).default([]),
  /** Numbers of the runs that a row counts. Left out, `seeding` makes each number the seed of training, forget set and unlearning. */
  seeds: z.array(z.int().min(0)).min(1),
  seeding: seeding.optional(),
  /** What its runners must have; it changes no result, so no stage key or definition either. */
  requires: requirements.default({}),
}

/** What has another name now, by the old one. */
const moved: Record<string, string> = {
  generation: 'write "task": { "id": "generation", … } in its place, with what "generation" held beside the id',
}

export const benchmark = z
  .strictObject(shape, {
    error(issue) {
      const old = issue.code === 'unrecognized_keys' ? (issue.keys as string[]).find((key) => moved[key]) : undefined
      return old && `${old}: ${moved[old]}`
    },
  })
  .check(({ value, issues }) => {
    const { task, request, training, metrics } = value
    const known = tasks.get(task.id)
    if (!known) return
    const { requests, choosesEpoch = false, usualMetrics } = known
    const refuse = (message: string, path: string[], input: unknown) =>
      issues.push({ code: 'custom', message, path, input })
    if (!requests.includes(request.kind))
      refuse(`expected ${requests.join(' or ')}, all that ${task.id} can forget`, ['request', 'kind'], request.kind)
    if (training.checkpoint === 'best' && !choosesEpoch)
      refuse(`${task.id} has no best epoch; leave checkpoint out`, ['training', 'checkpoint'], training.checkpoint)
    if (metrics.length > 0) return
    if (usualMetrics) value.metrics = [...usualMetrics[aimOf(value)]]
    else refuse(`expected the identities of metrics: ${task.id} has no usual ones`, ['metrics'], undefined)
  })
export type Benchmark = z.infer<typeof benchmark>

/** What is asked of unlearning on a benchmark: boards of two aims are never ranked as one. */
export const aimOf = ({ aim, request }: Pick<Benchmark, 'aim' | 'request'>): Aim => aim ?? usualAim(request)

/** Checks a benchmark's shape and fills in its defaults. */
export const defineBenchmark = (spec: z.input<typeof benchmark>): Benchmark => benchmark.parse(spec)

/** Whether a measured identity is the one that a benchmark names. */
export const isMetric = (named: string, identity: string): boolean =>
  identity === named || identity.startsWith(`${named};`)
