/** What benchmarks, tasks and stages are made of: dataset, model, forget request, training recipe. */
import { z } from 'zod'
import { sha256 } from './hash.ts'
import { checkModelFile, modelFileShape } from './model-file.ts'

export const slug = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/, 'expected lower-case letters and digits, separated by "." or "-"')

/** A dataset by its id; `path` and `digest` pin the content of an `image-folder` or `image-npz`. */
export const datasetRef = z.strictObject({
  id: slug,
  path: z.string().optional(),
  digest: z.string().optional(),
  /** Side in pixels that pictures of any size are brought to: the shorter side first, then the middle is cut out. */
  size: z.int().min(8).max(1024).optional(),
})
export type DatasetRef = z.infer<typeof datasetRef>

/** An architecture by its id, with its own options, such as `{ "width": 16 }`; or `onnx`, a file by its hash. */
export const modelRef = z
  .strictObject({
    id: slug,
    /** How many classes it is meant for; a dataset of another number is then refused. Left out, it takes as many as there are. */
    classes: z.int().min(2).optional(),
    params: z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number())])).default({}),
    ...modelFileShape,
  })
  .check(checkModelFile)
export type ModelRef = z.infer<typeof modelRef>

/** A class by its index. */
const label = z.int().min(0).max(0xffff)

/** Of examples; positions in a training set are int32. */
const count = z.int().min(1).max(0x7fffffff)

/** How many are drawn, uniformly without replacement: a share, or a number. */
const drawn = { fraction: z.number().gt(0).lt(1).optional(), count: count.optional() }

function checkDrawn({
  value,
  issues,
}: z.core.ParsePayload<{ fraction?: number | undefined; count?: number | undefined }>) {
  if ((value.fraction === undefined) !== (value.count === undefined)) return
  const message = 'expected either "fraction", a share of the images, or "count", how many'
  issues.push({ code: 'custom', message, path: ['fraction'], input: value.fraction })
}

/** What must be forgotten. It fixes D_f and D_r once a seed is given. */
export const forgetRequest = z.discriminatedUnion('kind', [
  /** Of all of D. */
  z.strictObject({ kind: z.literal('random'), ...drawn }).check(checkDrawn),
  /** All of a class; its test images are left out of TA and MIA as well. */
  z.strictObject({ kind: z.literal('class'), label }),
  /** All of several classes, whose test images are left out likewise. */
  z.strictObject({
    kind: z.literal('classes'),
    labels: z
      .array(label)
      .min(2)
      .max(1000)
      .refine((labels) => new Set(labels).size === labels.length, 'expected different classes')
      .overwrite((labels) => [...labels].sort((a, b) => a - b)),
  }),
  /** Some images of a class: the others stay, and with them the class. */
  z.strictObject({ kind: z.literal('part'), label, ...drawn }).check(checkDrawn),
  /** The images of a list, by their positions in the training set. */
  z.strictObject({
    kind: z.literal('items'),
    /** Of the list, as schema/parts/index-list.ts writes it: that is what a runner finds it by. */
    sha256,
    count,
    /** Where to look for the file on this machine; it takes no part in any hash. */
    path: z.string().min(1).optional(),
  }),
])
export type ForgetRequest = z.infer<typeof forgetRequest>

export const schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('step'),
    /** Epochs after which the rate is multiplied by `factor`. */
    milestones: z.array(z.int().min(0)),
    factor: z.number().positive(),
  }),
  z.strictObject({ kind: z.literal('cosine'), /** Final rate over first rate. */ floor: z.number().min(0).default(0) }),
])
export type Schedule = z.infer<typeof schedule>

export const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    momentum: z.number().min(0).lt(1).default(0.9),
    weightDecay: z.number().min(0).default(5e-4),
    nesterov: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.enum(['adam', 'adamw']),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().min(0).default(0),
  }),
])
export type OptimizerSpec = z.infer<typeof optimizer>

const recipe = z.strictObject({
  epochs: z.int().min(1).max(10_000),
  batchSize: z.int().min(1).max(4096),
  learningRate: z.number().positive(),
  schedule: schedule.default({ kind: 'constant' }),
  /** Epochs of linear warm-up from 0, before the schedule. */
  warmUpEpochs: z.number().min(0).default(0),
  optimizer,
  /** Largest global gradient norm; null leaves gradients as they are. */
  clipNorm: z.number().positive().nullable().default(null),
  /** Pad-4 random crop and horizontal flip. */
  augment: z.boolean(),
  /** Share of each class's training images held out of D (10% in the reference protocol for CIFAR-10). */
  holdOut: z.number().min(0).lt(1).default(0),
  /** Which epoch's weights training ends with: the last, unless `best` asks for the first of those with the highest accuracy on the
   *  images held out, as in the reference protocol. Retrain of a class is not shown that class for it. */
  checkpoint: z.enum(['last', 'best']).optional(),
})

export const trainingRecipe = recipe.check((context) => {
  const { checkpoint, holdOut, ...rest } = context.value
  // Said or not, it is the same recipe and has the same key.
  if (checkpoint === 'last') context.value = { ...rest, holdOut }
  if (checkpoint !== 'best' || holdOut > 0) return
  const message = 'best needs images to choose by; set holdOut above 0, or leave checkpoint out'
  context.issues.push({ code: 'custom', message, input: checkpoint, path: ['checkpoint'] })
})
export type TrainingRecipe = z.infer<typeof trainingRecipe>
