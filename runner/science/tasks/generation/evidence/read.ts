/** What judge and extractor say of samples, as other software saves it: parts may be missing, numbers of any precision. Pure. */
import type { Arrays } from '../../../../formats/arrays.ts'
import { ArraysError } from '../../../../formats/numbers.ts'
import { type Picker, pickFrom } from '../../../../formats/pick.ts'
import { type Features, featuresOf, rowsOf } from '../../../fidelity/features.ts'
import { type Extractor, type GenerationEvidence, positionsOf, UNNAMED } from './evidence.ts'

const extractorFacts = ['id', 'weights', 'preprocessing', 'dimension'] as const
const facts = [
  ...extractorFacts.map((name) => `extractor.${name}`),
  ...['classes', 'scoreClasses', 'forgottenClass', 'judge.key', 'judge.testAccuracy', 'real.sha256'],
]
const names = ['labels', 'features', 'judge.logits', 'scores']

/** What the files say of an extractor; `features` give its dimension. */
const extractorOf = ({ text }: Picker, dimension: number): Extractor => ({
  id: text('extractor.id') ?? UNNAMED,
  weights: text('extractor.weights') ?? UNNAMED,
  preprocessing: text('extractor.preprocessing') ?? UNNAMED,
  dimension,
})

/** Throws ArraysError where a file is of another kind, or the real images were seen by another extractor. A part that is missing is
 *  empty: no metric is computed of it. */
export function readSamples(
  file: Arrays,
  realFile: Arrays,
  given: { forgottenClass?: number | undefined; realSha256: string },
): GenerationEvidence {
  const generated = pickFrom(file, [...names, ...facts])
  const real = pickFrom(realFile, ['features', 'labels', ...facts])
  const labels = generated.labels('labels')
  const none = { data: new Float32Array(0), rows: labels.length, columns: 0 }
  const part = (name: string) => {
    const found = generated.has(name) ? generated.floats(name) : none
    if (found.rows === labels.length) return found
    throw new ArraysError(`${name}: expected ${labels.length} rows, as many as labels, got ${found.rows}`)
  }
  const [features, logits, scores] = [part('features'), part('judge.logits'), part('scores')]
  const realFeatures = real.floats('features', features.columns || undefined)
  const extractor = extractorOf(generated, realFeatures.columns)
  for (const name of ['id', 'weights', 'preprocessing'] as const) {
    const there = real.text(`extractor.${name}`) ?? UNNAMED
    if (there !== extractor[name]) {
      throw new ArraysError(
        `extractor.${name}: the generated images were seen by ${extractor[name]}, the real ones by ${there}`,
      )
    }
  }
  const forgottenClass = given.forgottenClass ?? generated.whole('forgottenClass')
  if (forgottenClass === null)
    throw new ArraysError('expected a forgottenClass, got none; give it with --forgotten-class N')
  const testAccuracy = Number(generated.text('judge.testAccuracy') ?? Number.NaN)
  if (logits.columns > 0 && !(testAccuracy >= 0 && testAccuracy <= 100)) {
    throw new ArraysError(
      `judge.testAccuracy: expected the judge's accuracy in %, got ${generated.text('judge.testAccuracy') ?? 'none'}`,
    )
  }
  return {
    classes: logits.columns || (generated.whole('classes') ?? 0),
    scoreClasses: scores.columns,
    forgottenClass,
    labels,
    judge: { key: generated.text('judge.key') ?? UNNAMED, testAccuracy, logits: logits.data },
    extractor,
    features: features.data,
    scores: scores.data,
    real: {
      features: realFeatures.data,
      labels: real.labels('labels', realFeatures.rows),
      sha256: generated.text('real.sha256') ?? given.realSha256,
    },
  }
}

/** Features of images, those of the forgotten class left out where it is known, and what saw them. */
export function readFeatures(
  file: Arrays,
  given: { forgottenClass?: number | undefined },
): { features: Features; extractor: Extractor } {
  const from = pickFrom(file, [...names, ...facts])
  const { data, rows, columns } = from.floats('features')
  const all = featuresOf(data, columns, 'the images')
  const extractor = extractorOf(from, columns)
  const forgottenClass = given.forgottenClass ?? from.whole('forgottenClass')
  if (forgottenClass === null) return { features: all, extractor }
  const kept = positionsOf(from.labels('labels', rows), (label) => label !== forgottenClass)
  return { features: rowsOf(all, kept), extractor }
}
