/** Linear classifiers on the frozen features of a model: what is left in them of a class that it forgot, or of examples. */
import type { LinearProbe } from '../../../schema/parts/probes.ts'
import { randomStream } from '../../engine/nn/random.ts'
import { labelsOf } from '../../formats/labels.ts'
import type { Split } from '../../science/dataset.ts'
import { fitLogistic } from '../../science/logistic.ts'
import { foldsOf, pairsPerClass } from '../../science/tasks/classification/evidence/pairs.ts'
import type { Membership } from '../../science/tasks/classification/evidence/probed.ts'

const PURPOSE = 'linear-probe'

/** Features of some images, [n, dimension]. */
export type FeaturesOf = (of: Split, items: Int32Array) => Promise<Float32Array>

interface Subject {
  featuresOf: FeaturesOf
  train: Split
  test: Split
  classes: number
  seed: number
}

/** Logits of all test images, of a classifier fitted to D with its true labels: of every class as many images, drawn by the seed, or
 *  all that there are. */
export async function probeClasses(
  { featuresOf, train, test, classes, seed }: Subject,
  { items, images, penalty }: LinearProbe & { items: Int32Array },
): Promise<Float32Array> {
  const drawn = randomStream(seed, `${PURPOSE}/train`)
  const perClass = Math.max(1, Math.floor(images / classes))
  const chosen = Array.from({ length: classes }, (_, label) =>
    drawn.shuffle(items.filter((item) => train.labels[item] === label)).subarray(0, perClass),
  )
  const learned = Int32Array.from(chosen.flatMap((part) => [...part]))
  const features = await featuresOf(train, learned)
  const dimension = features.length / learned.length
  const fit = fitLogistic({ features, dimension, labels: labelsOf(train.labels, learned), classes, penalty })
  const tested = await featuresOf(test, Int32Array.from(test.labels.keys()))
  return Float32Array.from(fit.logitsOf(tested))
}

/** Scores of pairs of a forgotten and a test image of one class, each from a classifier that was fitted to the other parts. */
export async function probeMembership(
  { featuresOf, train, test, classes, seed }: Subject,
  { forget, images, penalty }: LinearProbe & { forget: Int32Array },
): Promise<Membership> {
  const tested = Int32Array.from(test.labels.keys())
  const wanted = pairsPerClass({ forget: labelsOf(train.labels, forget), test: test.labels, classes }, images)
  const draw = (purpose: string, { labels }: Split, items: Int32Array) => {
    const drawn = randomStream(seed, `${PURPOSE}/${purpose}`)
    return Int32Array.from(
      wanted.flatMap((count, label) => [
        ...drawn.shuffle(items.filter((item) => labels[item] === label)).subarray(0, count),
      ]),
    )
  }
  const members = await featuresOf(train, draw('forget', train, forget))
  const others = await featuresOf(test, draw('test', test, tested))
  const pairs = wanted.reduce((a, b) => a + b, 0)
  const folds = foldsOf(pairs)
  const scores = new Float32Array(2 * pairs)
  const dimension = members.length / pairs
  for (const fold of new Set(folds)) {
    const [held, learned] = [placesOf(folds, (each) => each === fold), placesOf(folds, (each) => each !== fold)]
    const both = (pairs: number[]) =>
      Float32Array.from([members, others].flatMap((side) => pairs.flatMap((pair) => [...rowOf(side, pair, dimension)])))
    const truth = Uint8Array.from({ length: 2 * learned.length }, (_, i) => (i < learned.length ? 1 : 0))
    const fit = fitLogistic({ features: both(learned), dimension, labels: truth, classes: 2, penalty })
    const logits = fit.logitsOf(both(held))
    held.forEach((pair, i) => {
      for (const side of [0, 1]) {
        const row = 2 * (i + side * held.length)
        scores[2 * pair + side] = logits[row + 1]! - logits[row]!
      }
    })
  }
  return { scores, folds }
}

const placesOf = (folds: Uint8Array, isThere: (fold: number) => boolean): number[] =>
  Array.from(folds.keys()).filter((pair) => isThere(folds[pair]!))

const rowOf = (rows: Float32Array, row: number, dimension: number) =>
  rows.subarray(row * dimension, (row + 1) * dimension)
