/** Inception Score (Salimans et al. 2016, https://arxiv.org/abs/1606.03498). */
import { scoreMetric } from '../evidence/feature-metrics.ts'

export const inceptionScore = scoreMetric({ name: 'is', title: 'IS', canonical: true })
