/** What the Inception Score is, by a classifier trained on the dataset itself: not to be compared with it. */
import { scoreMetric } from '../evidence/feature-metrics.ts'

export const classifierScore = scoreMetric({ name: 'classifier-score', title: 'Classifier score', canonical: false })
