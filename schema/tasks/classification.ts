/** Image classification: a classifier forgets examples, or a class. */
import { defineTask, nothing } from '../parts/task-spec.ts'

export const classification = defineTask({
  title: 'Image classification',
  engine: 3,
  part: nothing,
  requests: ['random', 'class', 'classes', 'part', 'items'],
  choosesEpoch: true,
  stages: { train: nothing, unlearn: nothing, evaluate: nothing },
  trainingPart: () => ({}),
  async measure({ benchmark: { dataset, model, request, training }, seed, weights }, add) {
    const { holdOut } = training
    const common = { task: 'classification', dataset, model, request, holdOut, seed }
    await add({ kind: 'evaluate', ...common, part: {}, inputs: { weights } })
  },
  along: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
  references: ['retain'],
  ordering: 'avg-gap',
})
