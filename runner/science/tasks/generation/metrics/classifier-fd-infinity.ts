/** What FID∞ is, with the features of a classifier trained on the dataset itself: not to be compared with FID∞. */
import { frechetInfinityMetric } from '../evidence/feature-metrics.ts'

export const classifierFdInfinity = frechetInfinityMetric({
  name: 'classifier-fd-infinity',
  title: 'Classifier FD∞',
  canonical: false,
})
