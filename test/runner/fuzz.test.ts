/** The fuzzer where it can't run; where it can, `npm run fuzz` is its own test. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('without Python the fuzzer says that it is skipped, and ends well', async () => {
  const words = ['--experimental-strip-types', resolve('test/fuzz/run.ts')]
  const { stdout } = await promisify(execFile)(process.execPath, words, { env: { PATH: resolve('test/fuzz') } })
  expect(stdout).toBe('fuzz: skipped: no Python 3.11 or newer with venv and pip\n')
})
