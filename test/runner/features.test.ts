/** FEATURES.md names every member of the tree, so that it can't fall behind. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { standardRules } from '../../runner/autodiff/differentiate.ts'
import * as datasets from '../../runner/datasets/index.ts'
import * as generationMetrics from '../../runner/generation-metrics/index.ts'
import * as methods from '../../runner/methods/index.ts'
import * as metrics from '../../runner/metrics/index.ts'
import * as denoisers from '../../runner/nn/denoisers/index.ts'
import * as models from '../../runner/nn/models/index.ts'
import * as benchmarks from '../../schema/benchmarks/index.ts'
import * as suites from '../../schema/suites/index.ts'

const features = readFileSync(new URL('../../FEATURES.md', import.meta.url), 'utf8')

test.each([
  ['gradient', standardRules],
  ['dataset', datasets],
  ['model', models],
  ['denoiser', denoisers],
  ['method', methods],
  ['metric', metrics],
  ['metric of generated images', generationMetrics],
  ['benchmark', benchmarks],
  ['suite', suites],
])('FEATURES.md names every %s', (_, members) => {
  expect(Object.keys(members).filter((id) => !features.includes(`\`${id}\``))).toEqual([])
})
