/** Programs of training steps, for tests and benchmarks that feed them by hand. */
import type { Graph } from '../../runner/engine/onnx/graph.ts'
import type { Objective } from '../../runner/engine/training/objective.ts'
import { type StepShape, stepProgram } from '../../runner/engine/training/step-program.ts'
import { record } from '../../runner/science/expression.ts'
import type { TaskTypes, Term } from '../../runner/science/method.ts'

/** What a step looks like that descends one term and nothing else. */
export function stepShape<T extends TaskTypes>(
  objective: Objective<T>,
  { on, loss, weight = 1 }: Term<T>,
  { optimizer, clipNorm = null, average = null }: Pick<StepShape, 'optimizer'> & Partial<StepShape>,
): StepShape {
  const term = {
    batch: objective.batchSize(on),
    on: objective.shapeOf(on, 'training'),
    loss: record(loss, objective.values),
  }
  const none = { penalty: null, direction: null, after: null, own: [] }
  return { optimizer, clipNorm, average, mask: 'none', terms: [{ ...term, weight }], ...none }
}

/** The graph that a trainer would compile for it. */
export const stepsOf = <T extends TaskTypes>(
  objective: Objective<T>,
  term: Term<T>,
  how: Parameters<typeof stepShape>[2],
): Graph => stepProgram(objective, stepShape(objective, term, how))
