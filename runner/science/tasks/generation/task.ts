/** Class-conditional image generation: metrics of what a model draws. */
import { generationOf } from '../../../../schema/tasks/generation.ts'
import { defineScience, EVIDENCE, fileOf } from '../../task.ts'
import { classifierFeatures, samplesAsked, samplesObjection } from './evidence/asked.ts'
import { decodeGenerationEvidence, REFERENCE } from './evidence/codec.ts'
import { CANONICAL_EXTRACTOR } from './evidence/evidence.ts'
import { readSamples } from './evidence/read.ts'
import { imagesByExample } from './examples.ts'
import * as metrics from './metrics/index.ts'

export const generation = defineScience({
  metrics,
  files: [EVIDENCE, REFERENCE],
  decode: (files) => decodeGenerationEvidence(fileOf(files, EVIDENCE), fileOf(files, REFERENCE)),
  measurable({ task }) {
    const part = generationOf({ task })
    const extractor = part?.extractor === 'judge' ? classifierFeatures(part.judge.model.id) : CANONICAL_EXTRACTOR
    const ofJudge = extractor !== CANONICAL_EXTRACTOR
    return Object.values(metrics).flatMap(({ named }) => {
      if (!named.includes('*')) return ofJudge && named.includes(CANONICAL_EXTRACTOR) ? [] : [named]
      // By Inception-v3 these are FID, KID and Inception Score, and bear those names.
      return !ofJudge && named.startsWith('classifier-') ? [] : [named.replace('*', extractor)]
    })
  },
  leaves: samplesAsked,
  objection: samplesObjection,
  read(files, given) {
    const real = fileOf(files, REFERENCE)
    return readSamples(fileOf(files, EVIDENCE).content, real.content, { ...given, realSha256: real.sha256 })
  },
  examples: imagesByExample,
})
