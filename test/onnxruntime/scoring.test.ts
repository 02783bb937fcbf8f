/** Metrics of stored evidence on threads, with the engine's products. */
import { afterAll, expect, test } from 'vitest'
import { openMetricTools } from '../../runner/engine/metric-tools.ts'
import { openScoring } from '../../runner/pipeline/scoring.ts'
import { scoreEvidence } from '../../runner/science/score.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import {
  encodeGenerationEvidence,
  encodeRealImages,
  REFERENCE,
} from '../../runner/science/tasks/generation/evidence/codec.ts'
import { generation } from '../../runner/science/tasks/generation/task.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { openStore } from '../../runner/store/store.ts'
import { madeUpFeatures } from '../runner/features.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

const [CLASSES, DIMENSION] = [4, 12]
const labelsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % CLASSES)
const logits = madeUpFeatures(5, 120, CLASSES).data
const extractor = { id: 'small-cnn-features', weights: 'b'.repeat(64), preprocessing: 'none', dimension: DIMENSION }

function evidenceOf(seed: number) {
  const real = { features: madeUpFeatures(410, 160, DIMENSION, 2).data, labels: labelsOf(160) }
  const reference = encodeRealImages(real, extractor)
  return {
    reference,
    evidence: {
      classes: CLASSES,
      forgottenClass: 2,
      labels: labelsOf(120),
      judge: { key: 'a'.repeat(64), testAccuracy: 91.2, logits },
      extractor,
      features: madeUpFeatures(seed, 120, DIMENSION).data,
      scores: logits,
      scoreClasses: CLASSES,
      real: { ...real, sha256: sha256Of(reference) },
    },
  }
}

test('two threads at once give what one process gives, and one without evidence says so', async () => {
  const home = await temporaryFolder()
  const store = openStore(home)
  const { signal } = new AbortController()
  const scoring = openScoring({ home, threads: 2, signal })
  const identities = ['ua/judge@1', 'classifier-fd/small-cnn-features@1', 'classifier-kd/small-cnn-features@1']
  try {
    const orders = [400, 401, 402, 403].map(async (seed) => {
      const { evidence, reference } = evidenceOf(seed)
      const artifacts = {
        [EVIDENCE]: await store.put(encodeGenerationEvidence(evidence)),
        [REFERENCE]: await store.put(reference),
      }
      const tools = openMetricTools({ threads: 1 })
      const { values } = await scoreEvidence(generation, evidence, identities, tools).finally(tools.release)
      const outcome = await scoring.score({ task: 'generation', artifacts, identities })
      expect(outcome).toEqual({ values, unscored: [] })
      return values['classifier-fd']!.value
    })
    expect(new Set(await Promise.all(orders)).size).toBe(4)
    const nothing = { [EVIDENCE]: { sha256: 'e'.repeat(64) } }
    expect(await scoring.score({ task: 'generation', artifacts: nothing, identities })).toEqual({
      trouble: expect.stringMatching(/not found/),
    })
  } finally {
    await scoring.close()
  }
})
