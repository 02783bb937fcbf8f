/** Class-conditional image generation: metrics of what a model draws. */
import { defineScience, EVIDENCE, fileOf } from '../../task.ts'
import { samplesAsked, samplesObjection } from './evidence/asked.ts'
import { decodeGenerationEvidence, REFERENCE } from './evidence/codec.ts'
import { readSamples } from './evidence/read.ts'
import { imagesByExample } from './examples.ts'
import * as metrics from './metrics/index.ts'

export const generation = defineScience({
  metrics,
  files: [EVIDENCE, REFERENCE],
  decode: (files) => decodeGenerationEvidence(fileOf(files, EVIDENCE), fileOf(files, REFERENCE)),
  leaves: samplesAsked,
  objection: samplesObjection,
  read(files, given) {
    const real = fileOf(files, REFERENCE)
    return readSamples(fileOf(files, EVIDENCE).content, real.content, { ...given, realSha256: real.sha256 })
  },
  examples: imagesByExample,
})
