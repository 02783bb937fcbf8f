/** Remaining accuracy of image generation: are the other classes still what they were asked to be? */
import { defineMetric } from '../evidence/evidence.ts'
import { judged, judgeIdentity } from '../evidence/judge.ts'

export const generatedRa = defineMetric({
  title: 'RA',
  definition:
    'Remaining accuracy: 100 × the share of images asked for a remaining class that an independent classifier calls that class.',
  unit: '%',
  version: 1,
  named: 'ra/judge@1',
  better: 'larger',
  identity: (evidence) => judgeIdentity('ra', 1, evidence, judged(evidence, 'remaining')),
  compute(evidence) {
    const { count, recognised } = judged(evidence, 'remaining')
    return (100 * recognised) / count
  },
})
