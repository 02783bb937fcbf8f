/** What KID is, with the features of a classifier trained on the dataset itself: not to be compared with KID. */
import { kernelMetric } from '../evidence/feature-metrics.ts'

export const classifierKd = kernelMetric({ name: 'classifier-kd', title: 'Classifier KD', canonical: false })
