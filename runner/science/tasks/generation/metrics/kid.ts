/** Kernel Inception Distance (Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401): no bias, however few the images. */
import { kernelMetric } from '../evidence/feature-metrics.ts'

export const kid = kernelMetric({ name: 'kid', title: 'KID', canonical: true })
