/** What a benchmark says of a model that is a file: a classifier that other software exported to ONNX, by its hash. */
import { z } from 'zod'
import { sha256 } from './hash.ts'

/** The id of a model that is a file. */
export const EXPORTED = 'onnx'

/** Files beside a model lie in its folder or below: a name that leads elsewhere is no weight of it. */
const besideName = z
  .string()
  .max(200)
  .regex(
    /^(?!\.{1,2}(?:\/|$))[^/\\\0]+(?:\/(?!\.{1,2}(?:\/|$))[^/\\\0]+)*$/,
    'expected the name of a file in the folder of the model',
  )

/** A file by its content; `path` is only where to look for it, and takes no part in any hash. */
const fileShape = {
  path: z.string().min(1).optional(),
  sha256: sha256.optional(),
  /** Files beside it that hold weights, such as PyTorch's `model.onnx.data`, by the name that the file gives them. */
  external: z.record(besideName, sha256).optional(),
}
const fileRef = z.strictObject(fileShape)
export type FileRef = z.infer<typeof fileRef>

const tensorNames = z.array(z.string().min(1)).min(1)

export const modelFileShape = {
  ...fileShape,
  /** Which output holds the logits, where the file has several. */
  output: z.string().min(1).optional(),
  /** Tensors that train though they would not by themselves, and those that stay as the file has them. */
  train: tensorNames.optional(),
  freeze: tensorNames.optional(),
  /** Of one image, [channels, height, width], where the file leaves it open. */
  shape: z.array(z.int().min(1)).length(3).optional(),
  /** Whose statistics batch norm takes in training; by default the batch's, unless a part of the batch norms was merged on export. */
  batchNorm: z.enum(['batch', 'running']).optional(),
  /** What the weights in the file are to the benchmark. Left out they are nothing: original and retrain begin anew, by the rules of
   *  docs/exported.md. `pretrained`: both begin with them; they must never have seen D. `original`: they are the original, taken as
   *  it is; retrain begins anew, or with those of `initial`. */
  weights: z.enum(['pretrained', 'original']).optional(),
  /** A file of the same tensors that never saw D, where retrain begins, such as the checkpoint that the original was tuned from. */
  initial: fileRef.optional(),
  /** Per channel, of pixels in [0, 1]; left out, the file is given such pixels as they are. */
  normalization: z
    .strictObject({ mean: z.array(z.number()).min(1), std: z.array(z.number().positive()).min(1) })
    .optional(),
}
type ModelFile = z.infer<z.ZodObject<typeof modelFileShape>>

/** What a reader is told beside the bytes. */
export type Reading = Pick<ModelFile, (typeof READING)[number]>
const READING = ['output', 'train', 'freeze', 'shape', 'batchNorm'] as const

export const readingOf = (model: Reading): Reading =>
  Object.fromEntries(READING.flatMap((name) => (model[name] === undefined ? [] : [[name, model[name]]])))

const UNNAMED = 'expected the SHA-256 of the file, or its path; palimpsest model check FILE.onnx tells both'

/** What is wrong between the fields of a model, as a check of its schema. */
export function checkModelFile({ value, issues }: z.core.ParsePayload<{ id: string } & ModelFile>): void {
  const add = (path: string[], message: string, input: unknown) => issues.push({ code: 'custom', path, message, input })
  if (value.id !== EXPORTED) {
    for (const name of Object.keys(modelFileShape)) {
      const given = value[name as keyof ModelFile]
      if (given !== undefined) add([name], `expected only of a model that is a file ("id": "${EXPORTED}")`, given)
    }
    return
  }
  const { weights, initial, normalization, train, freeze } = value
  if (value.path === undefined && value.sha256 === undefined) add(['sha256'], UNNAMED, undefined)
  if (initial && weights !== 'original')
    add(['initial'], 'expected only where "weights" is "original": it is where retrain begins', initial)
  if (initial && initial.path === undefined && initial.sha256 === undefined)
    add(['initial', 'sha256'], UNNAMED, undefined)
  if (normalization && normalization.mean.length !== normalization.std.length)
    add(['normalization'], 'expected as many numbers in "mean" as in "std"', normalization)
  const both = train?.find((name) => freeze?.includes(name))
  if (both !== undefined) add(['freeze'], 'expected no tensor that "train" names too', both)
}

/** Without the places of its files: what its hashes, and nothing else, say. */
export function withoutPlaces<Model extends ModelFile>({ path: _, initial, ...model }: Model): Omit<Model, 'path'> {
  if (!initial) return model as Omit<Model, 'path'>
  const { path: __, ...content } = initial
  return { ...model, initial: content } as unknown as Omit<Model, 'path'>
}

/** "small-cnn", or "ONNX file 0123456789ab" of a file, which only its hash names. */
export const modelWords = ({ id, sha256 }: { id: string; sha256?: string | undefined }): string =>
  id === EXPORTED ? `ONNX file ${sha256?.slice(0, 12) ?? ''}`.trim() : id
