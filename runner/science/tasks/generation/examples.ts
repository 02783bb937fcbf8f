/** What is seen of single images: the class asked for and the class that the judge names. Pure. */
import { MetricError } from '../../metric.ts'
import type { ExampleTable } from '../../task.ts'
import { argmax } from '../classification/evidence/answers.ts'
import type { GenerationEvidence } from './evidence/evidence.ts'

/** A row an image, in the order of sampling. */
export async function imagesByExample({ labels, judge, forgottenClass }: GenerationEvidence): Promise<ExampleTable> {
  if (judge.logits.length === 0) throw new MetricError('expected the logits of a judge, got none')
  const rows = Array.from(labels, (label, image) => {
    const called = argmax({ logits: judge.logits, labels }, image)
    return [image, label, label === forgottenClass ? 1 : 0, called, called === label ? 1 : 0]
  })
  return { columns: ['image', 'asked for', 'forgotten', 'judged', 'recognised'], rows }
}
