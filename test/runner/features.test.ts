/** FEATURES.md names every member of the tree, so that it can't fall behind. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as datasets from '../../runner/data/datasets/index.ts'
import { standardRules } from '../../runner/engine/autodiff/differentiate.ts'
import * as denoisers from '../../runner/engine/nn/denoisers/index.ts'
import * as models from '../../runner/engine/nn/models/index.ts'
import * as methods from '../../runner/science/methods/index.ts'
import * as metrics from '../../runner/science/tasks/classification/metrics/index.ts'
import * as generationMetrics from '../../runner/science/tasks/generation/metrics/index.ts'
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
