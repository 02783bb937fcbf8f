/** Files such as stages leave, made without computing anything: right in names, shapes and counts, with answers that give the metrics
 *  that a test asks for. For tests in workerd and in Node. */
import { weightShapes } from '../../runner/engine/nn/architectures/weight-shapes.ts'
import { type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { picturedOf } from '../../schema/classes.ts'
import type { ModelRef } from '../../schema/parts/recipe.ts'
import { splitCounts } from '../../schema/parts/split-counts.ts'
import type { StageOf, StageSpec } from '../../schema/stage.ts'

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

/** Of what a method is right about, and of what the attack takes for never seen, as many as the scores say: UA and MIA together are
 *  100 at most. */
export const evidenceFile = (spec: StageOf<'evaluate'>, scores: Scores): Bytes =>
  once(['evidence', spec.dataset.id, spec.request, spec.holdOut, scores], () =>
    encodeEvidence(answersLike(spec, scores)),
  )

export function answersLike({ dataset, request, holdOut }: StageOf<'evaluate'>, scores: Scores): Evidence {
  const data = picturedOf(dataset)!
  const classes = data.classes.length
  const counts = splitCounts({ train: data.train, classes }, { holdOut, request })
  const forgottenClass = request.kind === 'class' ? request.label : null
  const left = Array.from({ length: counts.all }, (_, i) => i % classes)
  const isForgotten = (label: number, i: number) =>
    forgottenClass === null ? i < counts.forget : label === forgottenClass
  const forget = left.filter(isForgotten)
  const retain = left.filter((label, i) => !isForgotten(label, i))
  const tested = Array.from({ length: data.test }, (_, i) => i % classes)
  // Examples of the forgotten class count neither for TA nor for MIA.
  const test = [
    ...tested.filter((label) => label !== forgottenClass),
    ...tested.filter((label) => label === forgottenClass),
  ]
  const testing = tested.filter((label) => label !== forgottenClass).length
  const share = (percent: number, of: number) => Math.round((percent * of) / 100)
  return {
    classes,
    forgottenClass,
    forget: answers(forget, {
      wrong: share(scores.ua, forget.length),
      sure: share(scores.mia, forget.length),
      classes,
    }),
    retain: answers(retain, { wrong: share(100 - scores.ra, retain.length), sure: 0, classes }),
    test: answers(test, { wrong: share(100 - scores.ta, testing), sure: 'others', classes }),
  }
}

/** The first are wrong; as many of the last are sure. An attack learns that whoever is sure was never seen. */
function answers(
  labels: number[],
  { wrong, sure, classes }: { wrong: number; sure: number | 'others'; classes: number },
): Answers {
  const logits = new Float32Array(labels.length * classes)
  const torn = sure === 'others' ? wrong : labels.length - sure
  labels.forEach((label, example) => {
    const row = example * classes
    logits[row + label] = example >= torn ? 8 : 0.5
    if (example < wrong) logits[row + ((label + 1) % classes)] = 0.6
  })
  return { logits, labels: Uint8Array.from(labels) }
}

/** The scores that such evidence has: as asked, to the next example. */
export function scoresOf(spec: StageOf<'evaluate'>, scores: Scores): Scores {
  const { forget, retain, test, forgottenClass } = answersLike(spec, scores)
  const testing = test.labels.filter((label) => label !== forgottenClass).length
  const nearest = (percent: number, of: number) => (100 * Math.round((percent * of) / 100)) / of
  return {
    ua: nearest(scores.ua, forget.labels.length),
    ra: 100 - nearest(100 - scores.ra, retain.labels.length),
    ta: 100 - nearest(100 - scores.ta, testing),
    mia: nearest(scores.mia, forget.labels.length),
  }
}

/** All that a stage of a classifier must leave, by name. */
export function filesOf(spec: StageSpec, scores: Scores = SCORES): Record<string, Bytes> {
  if (spec.kind === 'train' || spec.kind === 'unlearn') return { [WEIGHTS]: weightsFile(spec.model, spec.dataset) }
  if (spec.kind === 'evaluate') return { [EVIDENCE]: evidenceFile(spec, scores) }
  throw new Error(`no files for a stage of the kind ${spec.kind}`)
}
