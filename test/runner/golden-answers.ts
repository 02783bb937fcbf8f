import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { digitsOf, floatsOf } from './golden.ts'

interface Packed {
  logits: string
  labels: string
}

/** The evidence of a case of test/golden/metrics. */
export function evidenceOf(
  golden: Pick<Evidence, 'classes' | 'forgottenClass'> & Record<'forget' | 'retain' | 'test', Packed>,
): Evidence {
  const set = ({ logits, labels }: Packed): Answers => ({ logits: floatsOf(logits), labels: digitsOf(labels) })
  const { classes, forgottenClass, forget, retain, test } = golden
  return { classes, forgottenClass, forget: set(forget), retain: set(retain), test: set(test) }
}
