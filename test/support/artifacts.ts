/** Files such as stages leave, made without computing anything: right in names, shapes and counts, with answers that give the metrics
 *  that a test asks for. For tests in workerd and in Node. */
import { weightShapes } from '../../runner/engine/nn/architectures/weight-shapes.ts'
import { type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { classifierFeatures, SAMPLES } from '../../runner/science/tasks/generation/evidence/asked.ts'
import {
  encodeGenerationEvidence,
  encodeRealImages,
  REFERENCE,
} from '../../runner/science/tasks/generation/evidence/codec.ts'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { picturedOf } from '../../schema/classes.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import type { ModelRef } from '../../schema/parts/recipe.ts'
import { forgottenClasses } from '../../schema/parts/request.ts'
import { splitCounts } from '../../schema/parts/split-counts.ts'
import type { StageOf, StageSpec } from '../../schema/stage.ts'
import { generationOf, samplePart } from '../../schema/tasks/generation.ts'
import { probedLike } from './probed.ts'

type Bytes = Uint8Array<ArrayBuffer>

export type Scores = Record<'ua' | 'ra' | 'ta' | 'mia', number>
export const SCORES: Scores = { ua: 5, ra: 100, ta: 90, mia: 10 }

const made = new Map<string, Bytes>()

/** Files are the same for the same words, so that each is made, sent and stored once. */
function once(words: unknown, make: () => Bytes): Bytes {
  const key = JSON.stringify(words)
  const known = made.get(key) ?? make()
  made.set(key, known)
  return known
}

const zeros = (shape: readonly number[]): Tensor => {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  return { dtype: 'F32', shape: [...shape], data }
}

/** Weights of all zeros; of an architecture that is not known here, one number. */
export const weightsFile = (model: ModelRef, dataset: StageSpec['dataset']): Bytes =>
  once(['weights', model, dataset.id], () => {
    const data = picturedOf(dataset)
    const images = data && {
      channels: data.channels,
      height: data.size,
      width: data.size,
      classes: data.classes.length,
    }
    const shapes = (images && weightShapes(model, images)) ?? new Map([['weight', [1]]])
    return writeSafetensors(new Map([...shapes].map(([name, shape]) => [name, zeros(shape)])), { format: 'palimpsest' })
  })

/** Of what a method is right about, and of what the attack takes for never seen, as many as the scores say. MIA must be 100 - UA at
 *  most, or UA at least: whoever is sure is right. */
export const evidenceFile = (spec: StageOf<'evaluate'>, scores: Scores): Bytes =>
  once(['evidence', spec.dataset.id, spec.request, spec.holdOut, spec.part, scores], () => {
    const answers = answersLike(spec, scores)
    const probed = probedLike(spec, answers)
    return encodeEvidence({ ...answers, ...(probed && { probed }) })
  })

export function answersLike({ dataset, request, holdOut }: StageOf<'evaluate'>, scores: Scores): Evidence {
  const data = picturedOf(dataset)!
  const classes = data.classes.length
  const counts = splitCounts({ train: data.train, classes }, { holdOut, request })
  const gone = forgottenClasses(request)
  const left = Array.from({ length: counts.all }, (_, i) => i % classes)
  const isForgotten = (label: number, i: number) => {
    if (gone.length > 0) return gone.includes(label)
    return request.kind === 'part' ? label === request.label && i < counts.forget * classes : i < counts.forget
  }
  const forget = left.filter(isForgotten)
  const retain = left.filter((label, i) => !isForgotten(label, i))
  const tested = Array.from({ length: data.test }, (_, i) => i % classes)
  // Examples of forgotten classes count neither for TA nor for MIA.
  const test = [...tested.filter((label) => !gone.includes(label)), ...tested.filter((label) => gone.includes(label))]
  const testing = tested.filter((label) => !gone.includes(label)).length
  const share = (percent: number, of: number) => Math.round((percent * of) / 100)
  const [missed, unseen] = [share(scores.ua, forget.length), share(scores.mia, forget.length)]
  // The attack learns that whoever is sure was never seen, or, where that leaves no room, that whoever is sure was.
  const unseenAreSure = missed + unseen <= forget.length
  const sure = unseenAreSure ? unseen : forget.length - unseen
  return {
    classes,
    forgottenClass: gone.length === 1 ? gone[0]! : null,
    ...(gone.length > 1 && { forgottenClasses: gone }),
    forget: answers(forget, { wrong: missed, sure, classes }),
    // The attack sees the first of D_r only.
    retain: answers(retain, {
      wrong: share(100 - scores.ra, retain.length),
      sure: unseenAreSure ? 0 : 'right',
      classes,
      wrongLast: true,
    }),
    test: answers(test, { wrong: share(100 - scores.ta, testing), sure: unseenAreSure ? 'right' : 0, classes }),
  }
}

/** The first are wrong, or the last; as many at the other end are sure, or all that are right. */
function answers(
  labels: number[],
  options: { wrong: number; sure: number | 'right'; classes: number; wrongLast?: true },
): Answers {
  const { wrong, sure, classes, wrongLast } = options
  const logits = new Float32Array(labels.length * classes)
  const torn = sure === 'right' ? wrong : labels.length - sure
  labels.forEach((label, place) => {
    const row = place * classes
    const example = wrongLast ? labels.length - 1 - place : place
    logits[row + label] = example >= torn ? 8 : 0.5
    if (example < wrong) logits[row + ((label + 1) % classes)] = 0.6
  })
  return { logits, labels: Uint8Array.from(labels) }
}

/** The scores that such evidence has: as asked, to the next example. */
export function scoresOf(spec: StageOf<'evaluate'>, scores: Scores): Scores {
  const { forget, retain, test } = answersLike(spec, scores)
  const testing = test.labels.filter((label) => !forgottenClasses(spec.request).includes(label)).length
  const nearest = (percent: number, of: number) => (100 * Math.round((percent * of) / 100)) / of
  return {
    ua: nearest(scores.ua, forget.labels.length),
    ra: 100 - nearest(100 - scores.ra, retain.labels.length),
    ta: 100 - nearest(100 - scores.ta, testing),
    mia: nearest(scores.mia, forget.labels.length),
  }
}

/** Black images of every class, as many as the benchmark draws. */
const samplesFile = (spec: StageOf<'sample'>): Bytes =>
  once(['samples', spec.dataset.id, spec.part], () => {
    const { classes, channels, size } = picturedOf(spec.dataset)!
    const labels = asked(samplePart.parse(spec.part).sampling.perClass, classes.length)
    const shape = [labels.length, channels, size, size]
    const data = new Uint8Array(shape.reduce((product, extent) => product * extent, 1))
    return writeSafetensors(
      new Map([
        ['samples', { dtype: 'U8', shape, data }],
        ['labels', { dtype: 'U8', shape: [labels.length], data: labels }],
      ]),
    )
  })

const asked = (perClass: number, classes: number) =>
  Uint8Array.from({ length: perClass * classes }, (_, i) => i % classes)

/** Of generated images: shares that the judge does not call, or calls, what was asked for, and about which Fréchet distance they have. */
export interface Drawn {
  ua: number
  ra: number
  fd: number
  /** Numbers that an image has as features. */
  dimension?: number
}
const DRAWN: Drawn = { ua: 90, ra: 80, fd: 20 }

/** What a judge says of images, with as few features as will do. */
async function generationFiles(
  spec: StageOf<'evaluate'>,
  { ua, ra, fd, dimension = 2 }: Drawn,
): Promise<Record<string, Bytes>> {
  const data = picturedOf(spec.dataset)!
  const classes = data.classes.length
  const judge = spec.inputs.judge!
  const extractor = { id: classifierFeatures(spec.model.id), weights: judge, preprocessing: 'none', dimension }
  const featuresOf = (count: number, shift = 0) =>
    Float32Array.from({ length: dimension * count }, (_, i) => Math.sin(i * i) + (i % dimension === 0 ? shift : 0))
  const realLabels = asked(data.train / classes, classes)
  const real = { features: featuresOf(realLabels.length), labels: realLabels }
  const reference = encodeRealImages(real, extractor)
  const labels = asked(perClassOf(spec), classes)
  const forgotten = spec.request.kind === 'class' ? spec.request.label : -1
  const perClass = labels.length / classes
  const logits = Float32Array.from({ length: labels.length * classes }, (_, i) => {
    const [image, label] = [Math.floor(i / classes), labels[Math.floor(i / classes)]!]
    const recognised = label === forgotten ? 100 - ua : ra
    const called = (100 * Math.floor(image / classes)) / perClass < recognised ? label : (label + 1) % classes
    return i % classes === called ? 2 : 0
  })
  const evidence = encodeGenerationEvidence({
    classes,
    forgottenClass: forgotten,
    labels,
    judge: { key: judge, testAccuracy: 84.2, logits },
    extractor,
    features: featuresOf(labels.length, Math.sqrt(fd)),
    scores: logits,
    scoreClasses: classes,
    real: { ...real, sha256: await sha256Hex(reference) },
  })
  return { [EVIDENCE]: evidence, [REFERENCE]: reference }
}

/** An evaluation does not say how many images it is of; the benchmarks of its kind do. */
function perClassOf({ dataset }: StageOf<'evaluate'>): number {
  const benchmark = [...benchmarks.values()].find((each) => each.dataset.id === dataset.id && generationOf(each))
  return generationOf(benchmark!)!.sampling.perClass
}

/** All that a stage must leave, by name; nothing where its task or its data is known to a test alone. */
export async function filesOf(spec: StageSpec, scores = SCORES, drawn = DRAWN): Promise<Record<string, Bytes>> {
  if (spec.kind === 'train' || spec.kind === 'unlearn') return { [WEIGHTS]: weightsFile(spec.model, spec.dataset) }
  if (!picturedOf(spec.dataset)) return {}
  if (spec.kind === 'sample') return { [SAMPLES]: samplesFile(spec) }
  return spec.task === 'generation' ? generationFiles(spec, drawn) : { [EVIDENCE]: evidenceFile(spec, scores) }
}
