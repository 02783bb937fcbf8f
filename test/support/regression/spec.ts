/** A third task, for tests alone: a line through two numbers forgets some of its points. What the schema must know. */
import { defineTask, nothing } from '../../../schema/parts/task-spec.ts'

export const regression = defineTask({
  title: 'Regression on two numbers',
  engine: 1,
  part: nothing,
  requests: ['random'],
  stages: { train: nothing, unlearn: nothing, evaluate: nothing },
  trainingPart: () => ({}),
  async measure({ benchmark: { dataset, model, request, training }, seed, weights }, add) {
    const { holdOut } = training
    const common = { task: 'regression', dataset, model, request, holdOut, seed }
    await add({ kind: 'evaluate', ...common, part: {}, inputs: { weights } })
  },
  references: ['retain'],
  ordering: 'avg-gap',
})
