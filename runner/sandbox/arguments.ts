/** What the verbs of a trainer are given, checked before the trainer sees it. */
import { z } from 'zod'
import type { Mask } from '../science/mask.ts'
import type { Parameter, Weights } from '../science/weights.ts'
import type { Limits } from './limits.ts'
import { MOST_CLASSES, recordingWithin } from './recordings.ts'

export interface Facts {
  parameters: readonly Parameter[]
  /** Examples of the training set. */
  population: number
  /** [c, h, w] */
  imageShape: readonly number[]
}

const ints = z.instanceof(Int32Array, { error: 'expected an Int32Array' })
const floats = z.instanceof(Float32Array, { error: 'expected a Float32Array' })
const handle = z.int().min(0)
/** Steps, passes and batches: what a training may well take. */
const STEPS = 10_000_000
const BATCH = 16_384
const NAMES = 64
/** Entries of a tensor of the method's own. */
const OWN_ENTRIES = 1 << 24
const TERMS = 16

const within = (values: ArrayLike<number>, end: number) => {
  for (let i = 0; i < values.length; i++) if (!(values[i]! >= 0 && values[i]! < end)) return i
  return -1
}
const finite = (values: ArrayLike<number>) => {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i
  return -1
}
const labels = ints.check(({ value, issues }) => {
  const at = within(value, MOST_CLASSES)
  if (at >= 0) issues.push({ code: 'custom', input: value, message: `expected labels from 0, got ${value[at]}` })
})
const finiteFloats = floats.check(({ value, issues }) => {
  const at = finite(value)
  if (at >= 0)
    issues.push({ code: 'custom', input: value, message: `expected finite numbers, got ${value[at]} at ${at}` })
})

/** Schemas of the arguments, for one model and its data. */
export function argumentsFor({ parameters, population, imageShape }: Facts, limits: Limits) {
  const recording = recordingWithin(limits.nodes)
  const pixels = imageShape.reduce((product, extent) => product * extent, 1)
  const known = new Map(parameters.map((one) => [one.name, one]))
  const listed = [...known.keys()].slice(0, 5).join(', ')

  const wrongCount = ({ images, labels }: { images: ArrayLike<number>; labels: ArrayLike<number> }) =>
    images.length === labels.length * pixels
      ? null
      : `expected ${labels.length * pixels} numbers for ${labels.length} images of [${imageShape}], got ${images.length}`
  const batch = z
    .strictObject({
      items: ints,
      batchSize: z.int().min(1).max(BATCH),
      labels: labels.optional(),
      factors: z.instanceof(Float64Array).optional(),
      from: z.strictObject({ images: z.instanceof(Uint8Array), labels }).optional(),
      beside: z.strictObject({ images: finiteFloats, labels }).optional(),
      uniforms: z.int().min(1).max(4096).optional(),
    })
    .check(({ value, issues }) => {
      const { items, labels, factors, from, beside } = value
      const refuse = (path: string, message: string) =>
        issues.push({ code: 'custom', input: value, path: [path], message })
      const end = (from ? from.labels.length : population) + (beside?.labels.length ?? 0)
      const at = within(items, end)
      if (items.length === 0) refuse('items', 'expected at least one item, got none')
      if (at >= 0) refuse('items', `expected positions from 0 to ${end - 1}, got ${items[at]}`)
      for (const [name, list] of Object.entries({ labels, factors })) {
        if (list && list.length !== items.length)
          refuse(name, `expected one for each of ${items.length} items, got ${list.length}`)
      }
      for (const [name, own] of Object.entries({ from, beside })) {
        const wrong = own && wrongCount(own)
        if (wrong) refuse(name, wrong)
      }
      if (factors && finite(factors) >= 0) refuse('factors', 'expected finite numbers')
    })
  const term = z.strictObject({ on: batch, loss: recording, weight: z.number().optional() })

  /** Of some parameters, or of all. */
  const values = (whole: boolean): z.ZodType<Weights> =>
    z.map(z.string(), floats).check(({ value, issues }) => {
      const refuse = (message: string) => issues.push({ code: 'custom', input: value, message })
      for (const [name, numbers] of value) {
        const parameter = known.get(name)
        if (!parameter) return void refuse(`expected names of parameters, got "${name}"; there are ${listed} …`)
        const { size, shape } = parameter
        if (numbers.length !== size)
          return void refuse(`expected ${size} values for ${name} [${shape}], got ${numbers.length}`)
        const at = finite(numbers)
        if (at >= 0) return void refuse(`expected finite values for ${name}, got ${numbers[at]} at ${at}`)
      }
      const missing = whole && parameters.find(({ name }) => !value.has(name))
      if (missing) refuse(`expected values for every parameter, got none for ${missing.name}`)
    })
  const mask: z.ZodType<Mask> = z.map(z.string(), z.instanceof(Uint8Array)).check(({ value, issues }) => {
    const refuse = (message: string) => issues.push({ code: 'custom', input: value, message })
    for (const { name, size } of parameters) {
      const entries = value.get(name)
      if (entries?.length !== size)
        return void refuse(`expected ${size} entries for ${name}, got ${entries?.length ?? 'none'}`)
      if (entries.some((entry) => entry > 1)) return void refuse(`expected entries 0 or 1 for ${name}, got others`)
    }
  })
  const own = z
    .map(z.string(), z.strictObject({ shape: z.array(z.int().min(1)).max(6), values: finiteFloats }))
    .check(({ value, issues }) => {
      for (const [name, { shape, values }] of value) {
        const size = shape.reduce((product, extent) => product * extent, 1)
        if (size !== values.length || size > OWN_ENTRIES)
          issues.push({
            code: 'custom',
            input: shape,
            message: `expected at most ${OWN_ENTRIES} values of own("${name}"), as many as [${shape}] says, got ${values.length}`,
          })
      }
      if (value.size > NAMES)
        issues.push({ code: 'custom', input: value, message: `expected at most ${NAMES} tensors` })
    })

  const rate = z.number().min(0).max(1e6)
  const clipNorm = z.number().positive().nullable().optional()
  const average = z.number().min(0).lt(1).nullable().optional()
  const optimizer = {
    learningRate: rate,
    clipNorm,
    mask: mask.optional(),
    freeze: z.enum(['gradient', 'hard']).optional(),
    penalty: recording.optional(),
    direction: recording.optional(),
    after: recording.optional(),
    average,
    own: own.optional(),
  }
  const table = z.instanceof(Float64Array)
  const rates = table.refine((rates) => within(rates, 1e6) < 0)
  const numbers = table.refine((numbers) => finite(numbers) < 0)
  const byStep = <T extends z.ZodType>(one: T, each: typeof table) =>
    z.union([one, each], { error: 'expected a finite number, or a function of the step that gives one' })
  const span = z.strictObject({
    passes: z.int().min(1).max(STEPS).optional(),
    steps: z.int().min(1).max(STEPS).optional(),
    learningRate: byStep(rate, rates).optional(),
    clipNorm,
    direction: z.null().optional(),
    average: z.null().optional(),
    numbers: z.map(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,59}$/), byStep(z.number(), numbers)).optional(),
  })
  const folding = { initial: finiteFloats, lent: handle }
  // Parameters may come beside what an optimizer takes, as `{ ...params, mask }` has them.
  return {
    sgd: z.object({ ...optimizer, momentum: z.number().min(0).lt(1), weightDecay: z.number().min(0).max(1e6) }),
    adam: z.object({ ...optimizer, weightDecay: z.number().min(0).max(1e6).optional() }),
    hold: z.strictObject({ values: values(true) }),
    retake: z.strictObject({ kept: handle, values: values(true).optional() }),
    integer: z.strictObject({
      bound: z
        .int()
        .min(1)
        .max(2 ** 31),
    }),
    shuffle: z.strictObject({ items: ints }),
    log: z.strictObject({ line: z.string() }),
    descend: z.strictObject({
      optimizer: handle,
      terms: z.array(term).min(1).max(TERMS),
      span: span.refine(
        ({ passes, steps }) => (passes === undefined) !== (steps === undefined),
        'expected passes or steps',
      ),
    }),
    takeAverage: z.strictObject({ optimizer: handle }),
    own: z.strictObject({ optimizer: handle, name: z.string().max(60) }),
    mask: z.object({
      kind: z.enum(['saliency', 'inverted', 'random']),
      density: z.number().min(0).max(1),
      of: term,
      clipNorm: z.number().positive().optional(),
    }),
    gradient: z.strictObject({ term, options: z.strictObject({ clipNorm: z.number().positive().optional() }) }),
    importance: z.strictObject({ term, options: z.strictObject({ together: z.int().min(1).optional() }) }),
    foldGradients: z.strictObject({ term, ...folding }),
    evaluate: z.strictObject({ on: batch, value: recording }),
    foldValues: z.strictObject({ value: recording, ...folding }),
    read: z.strictObject({}),
    write: z.strictObject({ values: values(false) }),
    restore: z.strictObject({ kept: handle }),
    reinitialise: z.strictObject({ names: z.array(z.string()).max(parameters.length) }),
    batch: batch.nullable(),
    state: finiteFloats,
  }
}

export type Arguments = ReturnType<typeof argumentsFor>
export type Given<Name extends keyof Arguments> = z.infer<Arguments[Name]>
