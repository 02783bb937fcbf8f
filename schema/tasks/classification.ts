/** Image classification: a classifier forgets examples, or a class. */
import { z } from 'zod'
import { askedProbes, probedPart, probesFor } from '../parts/probes.ts'
import { defineTask, nothing } from '../parts/task-spec.ts'

const part = z.strictObject({ probes: askedProbes.optional() })

export const classification = defineTask({
  title: 'Image classification',
  engine: 3,
  part,
  requests: ['random', 'class', 'classes', 'part', 'items'],
  choosesEpoch: true,
  stages: { train: nothing, unlearn: nothing, evaluate: probedPart },
  trainingPart: () => ({}),
  async measure({ benchmark: { dataset, model, request, training }, part: { probes }, seed, weights }, add) {
    const { holdOut } = training
    const common = { task: 'classification', dataset, model, request, holdOut, seed }
    const part = probes ? { probes: probesFor(probes, training) } : {}
    await add({ kind: 'evaluate', ...common, part, inputs: { weights } })
  },
  references: ['retain'],
  ordering: 'avg-gap',
})
