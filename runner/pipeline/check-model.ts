/** What can be told of an exported classifier by reading it and training it for one step. */
import { EXPORTED, type Reading } from '../../schema/parts/model-file.ts'
import type { ModelRef } from '../../schema/parts/recipe.ts'
import { openModelFile } from '../data/files/model-file.ts'
import { beginningsOfModel, begunAnew, weightsOf } from '../engine/nn/beginnings.ts'
import { initialState } from '../engine/nn/initial-state.ts'
import { requireRuntime } from '../engine/onnx/session.ts'
import { type Shape, sizeOf, type Tensor } from '../engine/onnx/tensor.ts'
import { aboutFile, type FileInfo } from '../engine/reading/about.ts'
import { type Beginning, beginningWords } from '../engine/reading/initializers.ts'
import { type TriedStep, tryStep } from '../engine/training/try-step.ts'
import { networkFrom } from '../tasks/classification/exported.ts'
import { UsageError } from '../words/usage.ts'
import { contentOf } from './model-file.ts'

export interface ListedTensor {
  name: string
  shape: Shape
  numbers: number
  /** How it begins in a retrained model, in words. */
  begins: string
}

export interface CheckedModel {
  path: string
  bytes: number
  about: FileInfo
  beside: { name: string; sha256: string }[]
  bytesBeside: number
  /** [channels, height, width] */
  images: Shape
  classes: number
  trains: ListedTensor[]
  /** Running means and variances of batch norm. */
  statistics: ListedTensor[]
  decisions: readonly string[]
  step: TriedStep
  /** Tensors that no step moves, be it from the weights in the file or from fresh ones. */
  stuck: string[]
  /** What a benchmark names it by. */
  model: Partial<ModelRef>
}

/** Throws UsageError for a file that isn't there, and an Error in one sentence for a model that can't be used. */
export async function checkModel(
  path: string,
  reading: Reading,
  options: { threads: number; signal: AbortSignal },
): Promise<CheckedModel> {
  requireRuntime()
  const file = await openModelFile(path).catch(({ message }: Error) => {
    throw new UsageError(message)
  })
  try {
    const network = networkFrom(file, reading)
    const { model } = network
    const begins = beginningsOfModel(model)
    const listed = (tensors: ReadonlyMap<string, Tensor>): ListedTensor[] =>
      [...tensors].map(([name, { shape }]) => ({
        ...{ name, shape, numbers: sizeOf(shape) },
        begins: beginningWords(begins.get(name)!),
      }))
    const content = contentOf(file)
    const step = await tryStep(network, weightsOf(model), options)
    return {
      path,
      bytes: file.bytes.length,
      about: aboutFile(file.bytes)!,
      beside: Object.entries(content.external ?? {}).map(([name, sha256]) => ({ name, sha256 })),
      bytesBeside: file.bytesBeside(),
      images: network.inputShape,
      classes: network.classes,
      trains: listed(model.parameters),
      statistics: listed(model.buffers),
      decisions: model.decisions,
      step,
      stuck: step.unmoved.length > 0 ? await stuckOf(network, begins, step.unmoved, options) : [],
      model: { id: EXPORTED, path, ...content, ...reading },
    }
  } catch (error) {
    const { name, message } = error as Error
    if (name === 'DatasetError' || options.signal.aborted) throw error
    throw new Error(`${path}: ${message}`)
  }
}

/** Zeros behind a tensor, with which some layers begin on purpose, keep it still for a step; fresh weights tell these from the rest. */
async function stuckOf(
  network: ReturnType<typeof networkFrom>,
  begins: ReadonlyMap<string, Beginning>,
  unmoved: string[],
  options: Parameters<typeof tryStep>[2],
): Promise<string[]> {
  if ([...begins.values()].some(({ kind }) => kind === 'unknown')) return unmoved
  const fresh = await tryStep(network, initialState(begunAnew(network), 0), options)
  return unmoved.filter((name) => fresh.unmoved.includes(name))
}
