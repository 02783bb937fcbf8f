/** Writes generation-draws.json: the cases of make_generation.py, with all that their steps draw.
 *
 *      node --experimental-strip-types test/golden/methods/draw-generation.ts
 */
import { writeFileSync } from 'node:fs'
import { followGeneration } from '../../support/golden-denoiser.ts'

const few = { batchSize: 4, learningRate: 0.02 }
const amnesia = { ...few, steps: 3, perClass: 2, sampleSteps: 4 }
const cases: [id: string, params: Record<string, unknown>][] = [
  ['selective-amnesia', amnesia],
  [
    'selective-amnesia',
    { ...amnesia, fisherPixels: 'signed', fisherDropCondition: 0, fisherPerClass: 1, elastic: 0.5, average: 0.5 },
  ],
  ['selective-amnesia', { ...amnesia, fisher: 'drawn', fisherClasses: 'remaining', dropCondition: 0.5, elastic: 100 }],
  ['erasediff', { ...few, steps: 4, rounds: 2, average: 0.5 }],
  [
    'erasediff',
    { ...few, steps: 4, rounds: 2, passes: 1, balance: 'adaptive', eta: 0.5, reduction: 'sum', other: 'random' },
  ],
  ['erasediff', { ...few, steps: 2, rounds: 1, passes: 0, balance: 'bome', eta: 20, innerRate: 0.05, other: 'next' }],
  ['esd', { ...few, steps: 4, latentSteps: 4 }],
  ['neggrad-plus', { ...few, steps: 3, beta: 0.7 }],
  ['scissorhands', { ...few, steps: 3, sparsity: 0.6, lambda: 0.3, snipBatches: 2 }],
  ['esd', { ...few, steps: 3, latentSteps: 4, latents: 'original', trained: 'all', strength: 2, clipNorm: 0.1 }],
  ['sfr-on', { ...few, steps: 2, alpha: 3, lambda: 0.5, threshold: 0.5 }],
]

const found = []
for (const [method, params] of cases)
  found.push({ method, params, draws: (await followGeneration(method, params)).draws })
writeFileSync(new URL('generation-draws.json', import.meta.url), `${JSON.stringify(found)}\n`)
