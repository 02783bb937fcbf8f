/** Evidence of image generation as safetensors: what judge and extractor say of generated images, and, in a file of its own that
 *  all runs on a dataset share, the features of real images. Pure. */

import { type Labels, labelsIn, labelTensor } from '../../../../formats/labels.ts'
import { readSafetensors, SafetensorsError, type Tensor, writeSafetensors } from '../../../../formats/safetensors.ts'
import type { Extractor, GenerationEvidence, RealImages } from './evidence.ts'

/** The features of real images, which all runs of a benchmark share. */
export const REFERENCE = 'reference.safetensors'

const floatTensor = (data: Float32Array, rows: number): Tensor => ({
  dtype: 'F32',
  shape: [rows, data.length / rows],
  data,
})

const extractorFacts = ({ id, weights, preprocessing, dimension }: Extractor): Record<string, string> => ({
  'extractor.id': id,
  'extractor.weights': weights,
  'extractor.preprocessing': preprocessing,
  'extractor.dimension': `${dimension}`,
})

/** The features of real images; the SHA-256 of these bytes is the `ref` of identities. */
export const encodeRealImages = (
  { features, labels }: Omit<RealImages, 'sha256'>,
  extractor: Extractor,
): Uint8Array<ArrayBuffer> =>
  writeSafetensors(
    new Map([
      ['features', floatTensor(features, labels.length)],
      ['labels', labelTensor(labels)],
    ]),
    extractorFacts(extractor),
  )

/** All but the real images, which are named by their hash. */
export function encodeGenerationEvidence(evidence: GenerationEvidence): Uint8Array<ArrayBuffer> {
  const { labels, features, judge, scores, classes, scoreClasses, forgottenClass, extractor, real } = evidence
  const rows = labels.length
  return writeSafetensors(
    new Map([
      ['labels', labelTensor(labels, classes)],
      ['features', floatTensor(features, rows)],
      ['judge.logits', floatTensor(judge.logits, rows)],
      ['scores', floatTensor(scores, rows)],
    ]),
    {
      ...extractorFacts(extractor),
      classes: `${classes}`,
      scoreClasses: `${scoreClasses}`,
      forgottenClass: `${forgottenClass}`,
      'judge.key': judge.key,
      'judge.testAccuracy': `${judge.testAccuracy}`,
      'real.sha256': real.sha256,
    },
  )
}

/** Throws SafetensorsError when the bytes are not evidence, or the real images were seen by another extractor. */
export function decodeGenerationEvidence(bytes: Uint8Array, realBytes: Uint8Array): GenerationEvidence {
  const generated = reading(bytes)
  const real = reading(realBytes)
  const facts = (['id', 'weights', 'preprocessing', 'dimension'] as const).map((name) => {
    const [here, there] = [generated.text(`extractor.${name}`), real.text(`extractor.${name}`)]
    if (here !== there) {
      throw new SafetensorsError(`the generated images were seen by ${here}, the real ones by ${there}`)
    }
    return here
  }) as [string, string, string, string]
  const [id, weights, preprocessing] = facts
  const dimension = generated.number('extractor.dimension')
  const [classes, scoreClasses] = [generated.number('classes'), generated.number('scoreClasses')]
  const labels = generated.labels()
  const realLabels = real.labels()
  return {
    classes,
    scoreClasses,
    forgottenClass: generated.number('forgottenClass'),
    labels,
    judge: {
      key: generated.text('judge.key'),
      testAccuracy: generated.number('judge.testAccuracy'),
      logits: generated.floats('judge.logits', [labels.length, classes]),
    },
    extractor: { id, weights, preprocessing, dimension },
    features: generated.floats('features', [labels.length, dimension]),
    scores: generated.floats('scores', [labels.length, scoreClasses]),
    real: {
      features: real.floats('features', [realLabels.length, dimension]),
      labels: realLabels,
      sha256: generated.text('real.sha256'),
    },
  }
}

function reading(bytes: Uint8Array) {
  const { tensors, metadata } = readSafetensors(bytes)
  const text = (name: string) => {
    const value = metadata[name]
    if (value === undefined) throw new SafetensorsError(`evidence: expected the metadata ${name}, got none`)
    return value
  }
  return {
    text,
    number(name: string) {
      const value = Number(text(name))
      if (!Number.isFinite(value))
        throw new SafetensorsError(`evidence: expected a number as ${name}, got ${text(name)}`)
      return value
    },
    labels(): Labels {
      const found = tensors.get('labels')
      if (found?.dtype !== 'U8' && found?.dtype !== 'I32')
        throw new SafetensorsError('evidence: expected labels of U8, or of I32 beyond 256 classes')
      return labelsIn(found.data, (expected, label, example) => {
        throw new SafetensorsError(`evidence: expected labels ${expected}, got ${label} (example ${example})`)
      })
    },
    floats(name: string, shape: [number, number]) {
      const found = tensors.get(name)
      if (found?.dtype !== 'F32' || found.shape.join() !== shape.join()) {
        const came = found ? `${found.dtype} [${found.shape.join(', ')}]` : 'nothing'
        throw new SafetensorsError(`evidence: expected ${name} of F32 [${shape.join(', ')}], got ${came}`)
      }
      return found.data
    },
  }
}
