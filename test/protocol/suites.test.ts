/** A suite from the command line to its board, against the real Worker; the numbers are invented. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { inventions } from '../support/inventions.ts'
import { type Server, startServer } from '../support/server.ts'

const SUITE = 'fashion-mnist-5k.small-cnn.class-wise'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

test('one command submits all classes, and another prints their average and each of them', async () => {
  const runner = fakeRunner(server)
  const tokenFile = join(await temporaryFolder(), 'token')
  await writeFile(tokenFile, await runner.tokenFor('submitter', 'ada'))
  const common = [SUITE, '--server', server.url]
  const submitted = await cli(['submit', ...common, '--method', 'ft', '--seeds', '0', '--token-file', tokenFile])
  expect(submitted.stderr).toContain(`Submitted ft with 10 runs. Board: ${server.url}/suites/${SUITE}`)
  const token = await runner.tokenFor('runner', 'lab')
  // One original, and for each class retrain, unlearning and two evaluations; the last class is left.
  await runner.workOff(token, inventions, 1 + 9 * 4)
  const partial = await cli(['board', ...common])
  expect(partial.stdout).toContain('FT, 9 of 10 classes')
  expect(partial.stdout).toMatch(/9 Ankle boot +not measured +not measured/)
  expect(await runner.workOff(token, inventions)).toBe(4)
  const { stdout, code } = await cli(['board', ...common])
  expect(code).toBe(0)
  expect(stdout).toContain('Fashion-MNIST (5,000 images), small CNN, forget each class: average over the classes')
  // Of all classes alike, ft has 2.4 and a drift of 0.45 sin(0 + 0 + 2), retrain 11.6 and 0.45 sin(7), to the
  // next of 500 examples.
  const [ft, retrain] = [2.4 + 0.45 * Math.sin(2), 11.6 + 0.45 * Math.sin(7)].map((value) =>
    (Math.round(value * 5) / 5).toFixed(2),
  )
  expect(stdout).toMatch(new RegExp(`0 T-shirt/top +${retrain} +${ft}`))
  expect(stdout).toMatch(new RegExp(`Average +${retrain} +${ft}`))
  expect(stdout).not.toContain('of 10 classes')
})

test('a suite that there is not is refused before anything is sent', async () => {
  const { code, stderr } = await cli(['submit', 'fashion-mnist-5k.small-cnn.class-wide', '--method', 'ft'])
  expect(code).toBe(2)
  expect(stderr).toContain(`no benchmark or suite "fashion-mnist-5k.small-cnn.class-wide"; did you mean "${SUITE}"?`)
})
