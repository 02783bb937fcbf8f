/** What samples and their evidence must be, by what their stage asks for. */
import type { StageSpec } from '../../../../../schema/stage.ts'
import { evaluatePart, samplePart } from '../../../../../schema/tasks/generation.ts'
import { labelType } from '../../../../formats/labels.ts'
import { type Asked, type AskedEvidence, EVIDENCE, type TensorShapes } from '../../../task.ts'
import { REFERENCE } from './codec.ts'
import { CANONICAL_EXTRACTOR, type GenerationEvidence } from './evidence.ts'
import { judged } from './judge.ts'

/** The images that a model drew. */
export const SAMPLES = 'samples.safetensors'

/** What features of a classifier are called, by the id of its model. */
export const classifierFeatures = (model: string): string => `${model}-features`

/** Images of every class, then what judge and extractor say of each of them, and of each training image. */
export function samplesAsked({ stage, inputs, data }: Asked): Record<string, TensorShapes> {
  const classes = data.classes.length
  if (stage.kind === 'sample') {
    const n = sampledBy(stage) * classes
    return {
      [SAMPLES]: {
        samples: { dtype: 'U8', shape: [n, data.channels, data.size, data.size] },
        labels: { dtype: labelType(classes), shape: [n] },
      },
    }
  }
  if (stage.kind !== 'evaluate') return {}
  const n = inputs.samples?.kind === 'sample' ? sampledBy(inputs.samples) * classes : null
  return {
    [EVIDENCE]: {
      labels: { dtype: labelType(classes), shape: [n] },
      features: { dtype: 'F32', shape: [n, null] },
      'judge.logits': { dtype: 'F32', shape: [n, classes] },
      scores: { dtype: 'F32', shape: [n, null] },
    },
    [REFERENCE]: {
      features: { dtype: 'F32', shape: [data.train, null] },
      labels: { dtype: labelType(classes), shape: [data.train] },
    },
  }
}

/** Of each class. */
const sampledBy = ({ part }: StageSpec): number => samplePart.parse(part).sampling.perClass

/** Labels, judge and extractor are facts of the stage. Throws MetricError for answers that are none. */
export function samplesObjection(evidence: GenerationEvidence, { stage, data, hashes }: AskedEvidence): string | null {
  const { labels, judge, extractor, real, forgottenClass } = evidence
  const classes = data.classes.length
  const wanted = stage.request.kind === 'class' ? stage.request.label : null
  if (evidence.classes !== classes) return `expected ${classes} classes, got ${evidence.classes}`
  if (forgottenClass !== wanted) return `expected ${wanted} as the forgotten class, got ${forgottenClass}`
  if (judge.key !== stage.inputs.judge) return `expected the judge ${stage.inputs.judge}, got ${judge.key}`
  if (!(judge.testAccuracy >= 0 && judge.testAccuracy <= 100)) {
    return `expected a judge whose accuracy is from 0 to 100, got ${judge.testAccuracy}`
  }
  const own = evaluatePart.parse(stage.part).extractor === 'judge'
  const named = own ? classifierFeatures(stage.model.id) : CANONICAL_EXTRACTOR
  if (extractor.id !== named) return `expected features of ${named}, got ${extractor.id}`
  if (own && extractor.weights !== judge.key) return `expected features of the judge, got those of ${extractor.weights}`
  if (real.sha256 !== hashes[REFERENCE]) {
    return `expected ${real.sha256} as ${REFERENCE}, the real images that it was measured with, got ${hashes[REFERENCE]}`
  }
  const strange = labels.findIndex((label, image) => label !== image % classes)
  if (strange >= 0) return `expected image ${strange} of class ${strange % classes}, got ${labels[strange]}`
  const perClass = Array<number>(classes).fill(0)
  for (const label of real.labels) if (label < classes) perClass[label]! += 1
  const other = perClass.findIndex((count) => count !== data.train / classes)
  if (other >= 0) return `expected ${data.train / classes} real images of class ${other}, got ${perClass[other]}`
  for (const which of ['forgotten', 'remaining'] as const) judged(evidence, which)
  return null
}
