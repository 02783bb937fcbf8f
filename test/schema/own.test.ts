/** Slugs of a server's own benchmarks. */
import { expect, test } from 'vitest'
import { listed } from '../../schema/catalogue/catalogue.ts'
import { isOwn, nextVersion } from '../../schema/own.ts'

test('no slug of the release is one of a server’s own', () => {
  expect(listed.filter(isOwn)).toEqual([])
})

test.each([
  ['own.pets', 'own.pets.v2'],
  ['own.pets.v2', 'own.pets.v3'],
  ['own.pets.v9', 'own.pets.v10'],
  ['own.v2', 'own.v3'],
  ['own.pets.v2.small', 'own.pets.v2.small.v2'],
])('the next version of %s is %s', (slug, next) => {
  expect(nextVersion(slug)).toBe(next)
})
