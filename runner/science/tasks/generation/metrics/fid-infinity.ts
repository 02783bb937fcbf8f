/** FID without the bias of small samples (Chong and Forsyth 2020, https://arxiv.org/abs/1911.07023). */
import { frechetInfinityMetric } from '../evidence/feature-metrics.ts'

export const fidInfinity = frechetInfinityMetric({ name: 'fid-infinity', title: 'FID∞', canonical: true })
