/** FID (Heusel et al. 2017, https://arxiv.org/abs/1706.08500): how far generated images are from real ones. */
import { frechetMetric } from '../evidence/feature-metrics.ts'

export const fid = frechetMetric({ name: 'fid', title: 'FID', canonical: true })
