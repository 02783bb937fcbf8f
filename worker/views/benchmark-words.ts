/** Benchmarks in words. */
import { aimOf, type Benchmark } from '../../schema/benchmark.ts'
import { EXPORTED, modelWords as named } from '../../schema/parts/model-file.ts'
import { seedsOf } from '../../schema/parts/seeding.ts'
import { picturedBy } from '../http/catalogue.ts'
import { plural } from './numbers.ts'

/** "T-shirt/top", or "class 0" of a user's own data. */
export const classWords = (benchmark: Benchmark, label: number): string =>
  picturedBy(benchmark)?.classes[label] ?? `class ${label}`

/** "0, T-shirt/top": the class to be forgotten, by its label and name. */
export function forgottenWords(benchmark: Benchmark): string {
  const { request } = benchmark
  if (request.kind !== 'class') return requestWords(benchmark)
  const name = picturedBy(benchmark)?.classes[request.label]
  return [request.label, name].filter((word) => word !== undefined).join(', ')
}

/** "cifar10", or "image-folder 0123456789ab, brought to 64 x 64" of images that only their digest names. */
export const datasetWords = ({ id, digest, size }: Benchmark['dataset']): string =>
  `${id}${digest === undefined ? '' : ` ${digest.slice(0, 12)}`}${size === undefined ? '' : `, brought to ${size} x ${size}`}`

const weightsWords = {
  anew: 'trained anew',
  pretrained: 'trained from its weights',
  original: 'whose weights are the original',
}

/** "small-cnn", or "ONNX file 0123456789ab, trained anew" of one that is a file. */
export const modelWords = (model: Benchmark['model']): string =>
  model.id === EXPORTED ? `${named(model)}, ${weightsWords[model.weights ?? 'anew']}` : named(model)

export function requestWords(benchmark: Benchmark): string {
  const { request } = benchmark
  const labelled = (label: number) => {
    const name = picturedBy(benchmark)?.classes[label]
    return `${label}${name ? ` (${name})` : ''}`
  }
  switch (request.kind) {
    case 'class':
      return `class ${labelled(request.label)} of D is to be forgotten`
    case 'classes':
      return `the classes ${request.labels.map(labelled).join(', ')} of D are to be forgotten`
    case 'items':
      return `the ${plural(request.count, 'image')} of the list ${request.sha256.slice(0, 12)} ${request.count === 1 ? 'is' : 'are'} to be forgotten`
    default:
      return drawnWords(request, request.kind === 'part' ? `class ${labelled(request.label)}` : 'D')
  }
}

function drawnWords({ fraction, count }: { fraction?: number | undefined; count?: number | undefined }, of: string) {
  if (count !== undefined)
    return `${plural(count, 'random image')} of ${of} ${count === 1 ? 'is' : 'are'} to be forgotten`
  return `a random ${Number((fraction! * 100).toPrecision(6))}% of ${of} is to be forgotten`
}

/** What is asked of unlearning, in a word and a sentence. */
export function aimWords(benchmark: Benchmark): string {
  const aim = aimOf(benchmark)
  return `${aim}: ${aim === 'untraining' ? 'the influence of samples is to be undone, as if they had never been trained on' : 'what the model knows of a class is to be removed'}`
}

/** "training 0, forget set 0, unlearning 1": the seeds of a run by its number. */
export function seedsWords(benchmark: Benchmark, run: number): string {
  const { training, forgetSet, unlearning } = seedsOf(benchmark, run)
  return `training ${training}, forget set ${forgetSet}, unlearning ${unlearning}`
}

export function recipeWords({ training }: Pick<Benchmark, 'training'>): string {
  const { epochs, batchSize, learningRate, optimizer, augment, checkpoint } = training
  const best = checkpoint === 'best' ? '; the weights of the epoch that is best on images held out' : ''
  return `${plural(epochs, 'epoch')} of ${optimizer.kind.toUpperCase()}, batch ${batchSize}, learning rate ${learningRate}${augment ? ', augmented' : ''}${best}`
}
