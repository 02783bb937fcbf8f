import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { release } from '../../schema/parts/release.ts'

test('the release is the one that package.json names', () => {
  expect(release).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})
