/** `palimpsest method check`: what it prints of a method of one file, and how it says what is wrong. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'

let folder: string
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(cleanUp)

test('prints the title, the parameters and what the trainer was asked for', async () => {
  const { code, stdout } = await cli(['method', 'check', 'docs/one-file/salun.ts'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^SalUn of one file: /)
  expect(stdout).toMatch(/^file:salun\.ts, .*SHA-256 [0-9a-f]{64}$/m)
  expect(stdout).toMatch(/^density +number, more than 0, at most 1 +0\.5 /m)
  expect(stdout).toContain('With its defaults it asked the trainer for mask, sgd, descend 20 times.')
})

test.each([
  ["summary: 'S'", /mine\.ts:1:\d+: summary: expected one sentence/],
  ["summary: 'S.', nonsense: 1", /mine\.ts:1:\d+: .*nonsense/],
])('says where what it describes is wrong: %s', async (wrong, message) => {
  const file = join(folder, 'mine.ts')
  await writeFile(file, `export default defineMethod({ title: 'T', ${wrong}, on: { classification: { run() {} } } })`)
  const { code, stderr } = await cli(['method', 'check', file])
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
})

test('run says it before anything is computed', async () => {
  const { code, stderr } = await cli([
    'run',
    'fashion-mnist-5k.small-cnn.random-10',
    '--method',
    join(folder, 'none.ts'),
  ])
  expect(code).toBe(2)
  expect(stderr).toMatch(/none\.ts: expected the file of a method: /)
})
