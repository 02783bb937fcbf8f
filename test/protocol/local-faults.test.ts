/** Faults of a runner's own machine, against a real server: the job is given back with what is wrong, nothing more is leased, and the
 *  runner says what to do and ends. */
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { cleanUp, startCli, temporaryFolder } from '../support/cli.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const preload = resolve(import.meta.dirname, '../support/full-disk.ts')

let server: Server
let admin: ReturnType<typeof fakeRunner>
let submitter: string
beforeAll(async () => {
  server = await startServer()
  admin = fakeRunner(server)
  submitter = await admin.tokenFor('submitter', 'ada')
})
afterAll(async () => {
  await cleanUp()
  await server?.stop()
})

let seed = 0
const words = (home: string) => ['runner', '--server', server.url, '--home', home, '--json']

test.each([
  ['ENOSPC', 'no space left on the device (ENOSPC); make room there, or choose another home folder with --home DIR'],
  [
    'EROFS',
    'the file system is read-only (EROFS); mount it for writing, or choose another home folder with --home DIR',
  ],
  ['EMFILE', 'too many open files (EMFILE); allow more of them (ulimit -n), or end what holds them'],
])('%s while a stage runs: the job is given back once, and the runner ends', async (code, said) => {
  const home = await temporaryFolder()
  const full = join(home, 'full')
  const environment = { FULL_DISK: full, NODE_OPTIONS: `--import=${preload}` }
  const runner = startCli(words(home), { ...environment, PALIMPSEST_ENROLMENT: await admin.invite() })
  await runner.said('"kind":"idle"')
  await writeFile(full, code)
  const { id, runs } = await admin.submit(submitter, { benchmark: SLUG, method: 'retrain', seeds: [seed++] })
  const { code: exit, stdout, stderr } = await runner.ended
  expect(exit).toBe(75)
  expect(stderr).toContain(said)
  expect(stdout).toMatch(/"kind":"released"/)
  const history = async () => {
    const { stages } = await apiOf(createClient({ server: server.url })).run(runs[0]!.id)
    return stages.flatMap(({ history }) => history.map(({ outcome, message }) => ({ outcome, message })))
  }
  const once = [{ outcome: 'released', message: expect.stringContaining(said) }]
  expect(await history()).toEqual(once)
  // Started again as it is, it asks for nothing.
  const again = await startCli(words(home), environment).ended
  expect([again.code, again.stdout]).toEqual([75, ''])
  expect(again.stderr).toContain(said)
  expect(await history()).toEqual(once)
  // With room it goes on.
  await rm(full)
  const mended = startCli(words(home), environment)
  await mended.said('"kind":"leased"')
  await admin.post(`/api/v1/submissions/${id}/cancel`, submitter, {})
  mended.child.kill('SIGTERM')
  mended.child.kill('SIGTERM')
  await mended.ended
})

test('a server of a release that this one does not understand is asked for no work', async () => {
  const asked: string[] = []
  const old = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    answer.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((done) => old.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(old.address() as AddressInfo).port}`
  try {
    const words = ['runner', '--server', url, '--home', await temporaryFolder()]
    const { code, stderr } = await startCli(words, { PALIMPSEST_ENROLMENT: `pal_enrol_${'0'.repeat(48)}` }).ended
    expect(code).toBe(2)
    expect(stderr).toMatch(/the server speaks protocol 1, as palimpsest 0\.1\.0 does, and this is palimpsest .* update/)
    expect(asked).toEqual(['GET /api/v1/server-key'])
  } finally {
    old.close()
  }
})
