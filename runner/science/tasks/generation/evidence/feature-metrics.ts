/** Metrics that exist twice: under their well-known name for FID's Inception-v3, and under another name for the features of a
 *  classifier trained on the dataset itself, whose figures mean something else. */

import { featuresOf, gaussianOf, rowsOf } from '../../../fidelity/features.ts'
import { fidInfinity, POINTS } from '../../../fidelity/fid-infinity.ts'
import { frechetDistance } from '../../../fidelity/frechet.ts'
import { inceptionScore, SPLITS } from '../../../fidelity/inception-score.ts'
import { kernelDistance, SUBSETS, subsetSize } from '../../../fidelity/kid.ts'
import { precisionRecall } from '../../../fidelity/precision-recall.ts'
import { type MetricDefinition, MetricError, type MetricTools } from '../../../metric.ts'
import {
  CANONICAL_EXTRACTOR,
  defineMetric,
  featureIdentity,
  type GenerationEvidence,
  positionsOf,
  remainingCounts,
  remainingFeatures,
  smallSampleWarning,
} from './evidence.ts'

interface Naming {
  /** First part of the identity. */
  name: string
  title: string
  /** Whether this is the well-known name. */
  canonical: boolean
}

/** Refuses the features of another kind of extractor than the name stands for. */
function checked(evidence: GenerationEvidence, { title, canonical }: Naming): GenerationEvidence {
  const { id } = evidence.extractor
  if ((id === CANONICAL_EXTRACTOR) !== canonical) {
    const expected = canonical ? CANONICAL_EXTRACTOR : `any but ${CANONICAL_EXTRACTOR}`
    throw new MetricError(`${title} needs features of ${expected}, got those of ${id}`)
  }
  return evidence
}

const nameOf = ({ name, canonical }: Naming, version: number) =>
  `${name}/${canonical ? CANONICAL_EXTRACTOR : '*'}@${version}`

const of = (canonical: boolean) => (canonical ? 'Inception-v3 pool3' : 'the classifier')

export const frechetMetric = (naming: Naming): MetricDefinition<GenerationEvidence> =>
  defineMetric({
    title: naming.title,
    definition: `Fréchet distance of the features of ${of(naming.canonical)} between generated and real images of the remaining classes: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½).`,
    unit: '',
    version: 1,
    named: nameOf(naming, 1),
    better: 'smaller',
    orders: true,
    identity: (evidence) => featureIdentity(naming.name, 1, checked(evidence, naming)),
    warning: smallSampleWarning,
    async compute(evidence, { multiply }) {
      const { generated, real } = remainingFeatures(checked(evidence, naming))
      return frechetDistance(await gaussianOf(generated, multiply), await gaussianOf(real, multiply), multiply)
    },
  })

export const frechetInfinityMetric = (naming: Naming): MetricDefinition<GenerationEvidence> =>
  defineMetric({
    title: naming.title,
    definition: `The Fréchet distance of the features of ${of(naming.canonical)}, extrapolated to infinitely many generated images of the remaining classes by a line in 1 / n through ${POINTS} subsets.`,
    unit: '',
    version: 1,
    named: nameOf(naming, 1),
    better: 'smaller',
    identity: (evidence) => featureIdentity(naming.name, 1, checked(evidence, naming), { points: POINTS }),
    warning: smallSampleWarning,
    async compute(evidence, { multiply, shuffles }) {
      const { generated, real } = remainingFeatures(checked(evidence, naming))
      const shuffle = await shuffles('fid-infinity')
      return (await fidInfinity(generated, await gaussianOf(real, multiply), { multiply, shuffle })).value
    },
  })

export const kernelMetric = (naming: Naming): MetricDefinition<GenerationEvidence> =>
  defineMetric({
    title: naming.title,
    definition: `1000 × the squared maximum mean discrepancy, without bias, of the features of ${of(naming.canonical)} between generated and real images of the remaining classes under the kernel (x·y / d + 1)³: the mean over ${SUBSETS} subsets.`,
    unit: '×10⁻³',
    version: 1,
    named: nameOf(naming, 1),
    better: 'smaller',
    identity(evidence) {
      const { n, m } = remainingCounts(checked(evidence, naming))
      const size = subsetSize(n, m)
      const subsets = size === n && size === m ? 1 : SUBSETS
      return featureIdentity(naming.name, 1, evidence, { subsets: `${subsets}x${size}` })
    },
    async compute(evidence, { multiply, shuffles }) {
      const { generated, real } = remainingFeatures(checked(evidence, naming))
      return 1000 * (await kernelDistance(generated, real, { multiply, shuffle: await shuffles('kid') })).value
    },
  })

export const scoreMetric = (naming: Naming): MetricDefinition<GenerationEvidence> =>
  defineMetric({
    title: naming.title,
    definition: `exp of the mean KL divergence of p(y|x) from p(y), by ${naming.canonical ? 'Inception-v3 (logits without bias)' : 'the classifier'}, over generated images of the remaining classes; the mean of ${SPLITS} parts.`,
    unit: '',
    version: 1,
    named: nameOf(naming, 1),
    better: 'larger',
    identity(evidence) {
      if (checked(evidence, naming).scores.length === 0) throw new MetricError('expected scores, got none')
      return featureIdentity(naming.name, 1, evidence, { splits: SPLITS })
    },
    async compute(evidence, { shuffles }) {
      const { scores, scoreClasses, labels, forgottenClass } = checked(evidence, naming)
      const all = featuresOf(scores, scoreClasses, 'the scores of the generated images')
      if (all.count !== labels.length) {
        throw new MetricError(`expected the scores of ${labels.length} generated images, got ${all.count}`)
      }
      // Shuffled, so that every part has images of all classes even where they were sampled class by class.
      const kept = positionsOf(labels, (label) => label !== forgottenClass)
      const order = (await shuffles('inception-score'))(kept.length)
      const shuffled = Array.from(order, (position) => kept[position]!)
      return inceptionScore(rowsOf(all, shuffled).data, scoreClasses).value
    },
  })

const known = new WeakMap<GenerationEvidence, ReturnType<typeof precisionRecall>>()

/** Precision and recall of the remaining classes; both are found at once, so that the second asks for what the first found. */
export function remainingPrecisionRecall(
  evidence: GenerationEvidence,
  { multiply }: MetricTools,
): ReturnType<typeof precisionRecall> {
  const found = known.get(evidence)
  if (found) return found
  const { generated, real } = remainingFeatures(evidence)
  const finding = precisionRecall(generated, real, multiply)
  known.set(evidence, finding)
  finding.catch(() => known.delete(evidence))
  return finding
}
