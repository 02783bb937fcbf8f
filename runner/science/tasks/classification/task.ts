/** Image classification: metrics of a classifier's answers. */
import { defineScience, EVIDENCE, fileOf } from '../../task.ts'
import { answersAsked, answersObjection } from './evidence/asked.ts'
import { decodeEvidence } from './evidence/codec.ts'
import * as metrics from './metrics/index.ts'

export const classification = defineScience({
  metrics,
  files: [EVIDENCE],
  decode: (files) => decodeEvidence(fileOf(files, EVIDENCE)),
  leaves: answersAsked,
  objection: answersObjection,
})
