/** What an independent classifier says of generated images. Pure. */

import { labelsOf } from '../../../../formats/labels.ts'
import { MetricError } from '../../../metric.ts'
import { countCorrect } from '../../classification/evidence/answers.ts'
import { type GenerationEvidence, positionsOf } from './evidence.ts'

export interface Judged {
  /** Images that were asked for. */
  count: number
  /** Those that the classifier calls what was asked for; of equal logits the first counts. */
  recognised: number
}

/** Of the images asked for the forgotten class, or for any other. Throws MetricError when there are none. */
export function judged(
  { classes, labels, forgottenClass, judge }: GenerationEvidence,
  which: 'forgotten' | 'remaining',
): Judged {
  const { logits } = judge
  if (logits.length !== labels.length * classes) {
    throw new MetricError(`the judge: expected ${labels.length} x ${classes} logits, got ${logits.length}`)
  }
  const infinite = logits.findIndex((logit) => !Number.isFinite(logit))
  if (infinite >= 0) {
    throw new MetricError(
      `the judge: expected finite logits, got ${logits[infinite]} (image ${Math.floor(infinite / classes)})`,
    )
  }
  const images = positionsOf(labels, (label) => (label === forgottenClass) === (which === 'forgotten'))
  if (images.length === 0) throw new MetricError(`expected generated images of the ${which} classes, got none`)
  const kept = new Float32Array(images.length * classes)
  images.forEach((image, row) => {
    kept.set(logits.subarray(image * classes, (image + 1) * classes), row * classes)
  })
  const answers = { logits: kept, labels: labelsOf(labels, images) }
  return { count: images.length, recognised: countCorrect(answers) }
}

/** Names the classifier by the key of its training and by its test accuracy: `ua/judge@1;judge=<key>;accuracy=91.20;n=500`. */
export const judgeIdentity = (
  name: string,
  version: number,
  { judge }: GenerationEvidence,
  { count }: Judged,
): string => `${name}/judge@${version};judge=${judge.key};accuracy=${judge.testAccuracy.toFixed(2)};n=${count}`
