/** What a benchmark says of its dataset, and what a server of benchmarks of its own asks it to say. */
import { expect, test } from 'vitest'
import * as datasets from '../../runner/data/datasets/index.ts'
import { ownDefinition } from '../../schema/api/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { isUnpinned, pictured, unpictured } from '../../schema/classes.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { datasetRef } from '../../schema/parts/recipe.ts'

test('every dataset is known with its classes, or known to be unknown', () => {
  expect([...Object.keys(pictured), ...unpictured].sort()).toEqual(Object.keys(datasets).sort())
})

test('without a size a dataset is named as ever, so keys stay', () => {
  expect(canonicalJson(datasetRef.parse({ id: 'cifar10' }))).toBe('{"id":"cifar10"}')
  expect(datasetRef.parse({ id: 'imagenette', size: 64 })).toEqual({ id: 'imagenette', size: 64 })
  expect(datasetRef.safeParse({ id: 'imagenette', size: 7 }).success).toBe(false)
})

test('images that no hash of ours pins are named by their digest', () => {
  const benchmark = (dataset: Record<string, unknown>) => ({
    ...benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!,
    slug: 'own.pets',
    title: 'Pets',
    dataset,
  })
  for (const id of unpictured.filter((each) => isUnpinned({ id: each }))) {
    const { error } = ownDefinition.safeParse(benchmark({ id }))
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['dataset.digest'])
    expect(ownDefinition.safeParse(benchmark({ id, digest: 'a'.repeat(64) })).success).toBe(true)
  }
  expect(ownDefinition.safeParse(benchmark({ id: 'svhn' })).success).toBe(true)
})
