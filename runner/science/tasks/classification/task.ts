/** Image classification: metrics of a classifier's answers. */
import type { ForgetSets } from '../../forget-set.ts'
import type { PopulationScience } from '../../population.ts'
import { defineScience, EVIDENCE, fileOf } from '../../task.ts'
import { answersAsked, answersObjection } from './evidence/asked.ts'
import { decodeEvidence } from './evidence/codec.ts'
import type { Evidence } from './evidence/evidence.ts'
import { readAnswers } from './evidence/read.ts'
import { shadowOf } from './evidence/shadow.ts'
import { answersByExample, orderings } from './examples.ts'
import { limits } from './limits.ts'
import * as metrics from './metrics/index.ts'
import { nearest } from './nearest.ts'
import * as populations from './populations/index.ts'
import { worst } from './worst-case.ts'

export const classification = defineScience({
  metrics,
  limits,
  files: [EVIDENCE],
  decode: (files) => decodeEvidence(fileOf(files, EVIDENCE)),
  leaves: answersAsked,
  objection: answersObjection,
  read: (files, given) => readAnswers(fileOf(files, EVIDENCE).content, given),
  examples: answersByExample,
  orderings,
  forgetSets: { nearest, worst } as unknown as ForgetSets,
  population: { look: shadowOf, metrics: populations } as PopulationScience<Evidence>,
})
