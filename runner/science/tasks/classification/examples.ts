/** What is seen of single examples: answer, confidence, and what the membership attack takes each for. Pure. */
import { MetricError, type MetricTools } from '../../metric.ts'
import type { ExampleTable } from '../../task.ts'
import { argmax, confidencesOf } from './evidence/answers.ts'
import type { Evidence } from './evidence/evidence.ts'
import { decisionsOf } from './metrics/mia.ts'

/** A row an example, set by set in dataset order; the test set with all its classes. */
export async function answersByExample(evidence: Evidence, tools: MetricTools): Promise<ExampleTable> {
  const decisions = await decisionsOf(evidence, tools).catch((error) => {
    if (error instanceof MetricError) return null // a set that the attack needs is missing
    throw error
  })
  const rows = (['forget', 'retain', 'test'] as const).flatMap((set) => {
    const answers = evidence[set]
    const confidences = answers.labels.length > 0 ? confidencesOf(answers) : []
    return Array.from(answers.labels, (label, example) => {
      const predicted = argmax(answers, example)
      const taken = set === 'forget' && decisions ? (decisions[example] === 1 ? 'member' : 'non-member') : null
      return [set, example, label, predicted, predicted === label ? 1 : 0, confidences[example]!, taken]
    })
  })
  return { columns: ['set', 'example', 'label', 'predicted', 'correct', 'confidence', 'mia'], rows }
}
