/** What FID is, with the features of a classifier trained on the dataset itself: not to be compared with FID. */
import { frechetMetric } from '../evidence/feature-metrics.ts'

export const classifierFd = frechetMetric({ name: 'classifier-fd', title: 'Classifier FD', canonical: false })
