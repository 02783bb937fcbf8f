/** Image classification: a classifier forgets examples, or a class. */
import { z } from 'zod'
import { askedProbes, probedPart, probesFor } from '../parts/probes.ts'
import { defineTask, nothing } from '../parts/task-spec.ts'

/** Those of the field's tables, and how far a model is from retrain itself. */
const PAPERS = ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1']
const BESIDE_RETRAIN = ['tow/accuracy@1', 'js-retrain/softmax@1']
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
  along: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
  usualMetrics: {
    // Of samples D_f and test set come from one distribution, so the two-sided attack means something.
    untraining: [...PAPERS, 'auc/confidence@1', 'auc/entropy@1', ...BESIDE_RETRAIN],
    unlearning: [...PAPERS, ...BESIDE_RETRAIN],
  },
  references: ['retain'],
  ordering: 'avg-gap',
})
