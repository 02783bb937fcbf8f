/** Facts of a run beside retrain's, each by hand. */
import { expect, test } from 'vitest'
import { closerToRetrain } from '../../runner/science/catalogue/catalogue.ts'
import { avgGapOf, fractionOfRetrain, gapOfMeans, gapsOf, makerOf, secondsOf } from '../../runner/science/comparison.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'

test('seconds are those of set-up, mask and unlearning, or of set-up and training', () => {
  expect(secondsOf({ setUp: 1.5, mask: 2, unlearn: 10 })).toBe(13.5)
  expect(secondsOf({ setUp: 1.5, train: 60 })).toBe(61.5)
  // Evaluation is no part of what a method costs.
  expect(secondsOf({ setUp: 0, unlearn: 4, evaluate: 100, sample: 100 })).toBe(4)
})

test('a model is made by its unlearning, else by its training', () => {
  const [train, unlearn, evaluate] = ['train', 'unlearn', 'evaluate'].map((kind) => ({ kind }))
  expect(makerOf([train!, unlearn!, evaluate!])).toBe(unlearn)
  expect(makerOf([train!, evaluate!])).toBe(train)
  expect(makerOf([evaluate!])).toBeUndefined()
})

test('gaps are signed, of metrics that both sides have', () => {
  expect(gapsOf({ ua: 10, ra: 98, fid: 3 }, { ua: 6, ra: 100 })).toEqual({ ua: 4, ra: -2 })
  expect(gapsOf({ ua: 10 }, undefined)).toEqual({})
})

test('Avg. Gap is the mean of the absolute gaps of metrics that are better the closer they are, of no other', () => {
  const retrain = { ua: 6, ra: 100, fid: 3 }
  // (|10 - 6| + |98 - 100|) / 2 = 3; the distance of 97 between the FIDs has another unit.
  expect(avgGapOf({ ua: 10, ra: 98, fid: 100 }, retrain, ['ua', 'ra'])).toBe(3)
  expect(avgGapOf(retrain, retrain, ['ua', 'ra'])).toBe(0)
  expect(avgGapOf({ fid: 100 }, retrain, [])).toBeNull()
  expect(avgGapOf({ ua: 10 }, retrain, ['ua', 'ra'])).toBeNull()
  expect(avgGapOf({ ua: 10, ra: 98 }, { ua: 6 }, ['ua', 'ra'])).toBeNull()
  expect(avgGapOf({ ua: 10, ra: 98 }, undefined, ['ua', 'ra'])).toBeNull()
})

test('the gap of means lets what differs in sign between seeds cancel out, Avg. Gap does not', () => {
  const seeds = [
    { values: { ua: 10, ra: 97, fid: 50 }, retrain: { ua: 6, ra: 100, fid: 3 } },
    { values: { ua: 4, ra: 99, fid: 60 }, retrain: { ua: 8, ra: 100, fid: 4 } },
  ]
  const closer = ['ua', 'ra']
  // UA: means 7 and 7, so 0; RA: means 98 and 100, so 2. (0 + 2) / 2 = 1, where the seeds have (4 + 3) / 2 and (4 + 1) / 2.
  expect(gapOfMeans(seeds, closer)).toBe(1)
  expect(seeds.map(({ values, retrain }) => avgGapOf(values, retrain, closer))).toEqual([3.5, 2.5])
  // A seed that lacks a metric, or retrain, has no say.
  const lacking = { values: { ua: 90 }, retrain: { ua: 6, ra: 100 } }
  expect(gapOfMeans([...seeds, lacking, { values: { ua: 90, ra: 1 }, retrain: undefined }], closer)).toBe(1)
  expect(gapOfMeans([lacking], closer)).toBeNull()
  expect(gapOfMeans(seeds, [])).toBeNull()
})

test('time is compared with retrain on the same device class only', () => {
  const [cpu, gpu] = ['cpu-x64', 'a100']
  expect(fractionOfRetrain({ seconds: 15, deviceClass: cpu! }, { seconds: 60, deviceClass: cpu! })).toBe(0.25)
  expect(fractionOfRetrain({ seconds: 15, deviceClass: cpu! }, { seconds: 60, deviceClass: gpu! })).toBeNull()
  expect(fractionOfRetrain({ seconds: 15, deviceClass: cpu! }, { seconds: 0, deviceClass: cpu! })).toBeNull()
  expect(fractionOfRetrain({ seconds: 15, deviceClass: cpu! }, undefined)).toBeNull()
})

test('the metrics of the paper have gaps with a mean, attacks beside them and those of generated images have none', () => {
  for (const benchmark of benchmarks.values()) {
    const ids = closerToRetrain(benchmark)
    if (benchmark.task.id === 'generation') expect(ids).toEqual([])
    else expect(ids).toEqual(['ua', 'ra', 'ta', 'mia'])
  }
})
