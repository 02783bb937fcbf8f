/** What choosing a method's parameters cost, in words. */
import { duration, plural } from '../../runner/words/numbers.ts'
import type { Tuning } from '../../schema/api/submission.ts'

export function tuningWords({ trials, pilots, seconds }: Tuning): string {
  if (trials === 0) return 'not tuned'
  const on = pilots.length > 0 ? ` on ${plural(pilots.length, 'pilot seed')}` : ''
  return `tuned by ${plural(trials, 'trial')}${on}, ${duration(seconds)}`
}
