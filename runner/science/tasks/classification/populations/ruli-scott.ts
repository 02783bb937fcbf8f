/** RULI with a bandwidth that follows from the margins: 1 is wide where models agree, and narrow where they don't. */

import { attackOn, attackParts, kernelDensity, scottBandwidth } from '../evidence/likelihood-attack.ts'
import { definePopulationMetric } from '../evidence/shadow.ts'

export const ruliScott = definePopulationMetric({
  title: 'RULI (Scott)',
  definition:
    'RULI with the bandwidth of Scott’s rule for each density, the standard deviation of the margins × n^(−1/5), in place of 1.',
  version: 1,
  named: 'ruli/kde-scott@1',
  least: 64,
  parts: attackParts,
  compute: (populations) => attackOn(populations, kernelDensity(scottBandwidth)),
})
