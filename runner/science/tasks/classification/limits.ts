/** What the meta-evaluation found each metric unable to see, by id. Written by npm run meta-evaluation. */
import type { Limit } from '../../limits.ts'

export const limits: Readonly<Record<string, readonly Limit[]>> = {
  'auc-confidence': ['noise', 'random'],
  'auc-entropy': ['noise', 'random'],
  'membership-probe': ['noise', 'random'],
  'mia-loss-tpr': ['original', 'noise'],
  'mia-m-entropy-released': ['noise'],
  ra: ['original'],
  'relearn-steps': ['noise'],
  ta: ['original'],
}
