/** What is seen of single examples: answer, how sure the model is by the measures of attacks, and what the membership attack takes
 *  each for. Pure. */
import { MetricError, type MetricTools } from '../../metric.ts'
import type { ExampleTable } from '../../task.ts'
import { answersOf, argmax, confidencesOf } from './evidence/answers.ts'
import type { Evidence } from './evidence/evidence.ts'
import { entropiesOf, lossesOf, marginsOf, modifiedEntropiesOf } from './evidence/uncertainty.ts'
import { decisionsOf } from './metrics/mia.ts'

/** By the names of their columns. */
const measures = {
  confidence: confidencesOf,
  entropy: entropiesOf,
  'm-entropy': modifiedEntropiesOf,
  loss: lossesOf,
  margin: marginsOf,
}

/** What examples can be put in order by. */
export const orderings = Object.fromEntries(
  Object.entries(measures).map(([name, measure]) => [
    name,
    (evidence: Evidence, set: 'forget' | 'retain') => measure(answersOf(evidence, set)),
  ]),
)

/** A row an example, set by set in dataset order; the test set with all its classes. */
export async function answersByExample(evidence: Evidence, tools: MetricTools): Promise<ExampleTable> {
  const decisions = await decisionsOf(evidence, tools).catch((error) => {
    if (error instanceof MetricError) return null // a set that the attack needs is missing
    throw error
  })
  const rows = (['forget', 'retain', 'test'] as const).flatMap((set) => {
    const answers = evidence[set]
    const measured = answers.labels.length > 0 ? Object.values(measures).map((measure) => measure(answers)) : []
    return Array.from(answers.labels, (label, example) => {
      const predicted = argmax(answers, example)
      const taken = set === 'forget' && decisions ? (decisions[example] === 1 ? 'member' : 'non-member') : null
      return [
        set,
        example,
        label,
        predicted,
        predicted === label ? 1 : 0,
        ...measured.map((values) => values[example]!),
        taken,
      ]
    })
  })
  return { columns: ['set', 'example', 'label', 'predicted', 'correct', ...Object.keys(measures), 'mia'], rows }
}
