/** The real command line against the real Worker in workerd, over HTTP: every process is one that users start. */
import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, apiOf } from '../../runner/agent/api.ts'
import { createClient, RemoteError } from '../../runner/agent/client.ts'
import { path } from '../../schema/path.ts'
import { type CliProcess, cleanUp, cli, startCli, temporaryFolder } from '../support/cli.ts'
import { childrenOf, isAlive } from '../support/processes.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const FT = ['--method', 'ft', '--param', 'epochs=1', '--every', 'epoch', '--seeds', '0']
const root = resolve(import.meta.dirname, '../..')

let home: string
let url: string
let serving: CliProcess
let api: Api
let runnerHome: string

beforeAll(async () => {
  home = await temporaryFolder()
  runnerHome = await temporaryFolder()
  serving = startCli(['serve', '--port', '0', '--home', home])
  await serving.said('Ctrl-C stops.')
  url = serving.output().stdout.trim()
  api = apiOf(createClient({ server: url }))
})

afterAll(async () => {
  serving.child.kill('SIGTERM')
  await serving.ended
  await cleanUp()
})

/** With a secret, this machine enrols as "lab" at its first start. */
const startRunner = ({ secret = '', words = [] }: { secret?: string; words?: string[] } = {}) =>
  startCli(['runner', '--server', url, '--home', runnerHome, '--name', 'lab', '--json', ...words], {
    PALIMPSEST_ENROLMENT: secret,
  })

/** What an admin does, with the tokens of the served home. */
const asAdmin = (...words: string[]) =>
  cli(['runners', ...words, '--server', url, '--token-file', join(home, 'tokens.json')])

const submit = (...words: string[]) =>
  cli(['submit', SLUG, '--server', url, '--token-file', join(home, 'tokens.json'), ...words])

test('tokens, keys and identity of a served home are readable by their owner only', async () => {
  for (const file of ['tokens.json', 'server.env', 'identity.json']) {
    expect((await stat(join(home, file))).mode & 0o777, file).toBe(0o600)
  }
})

test('a second server on the same home is refused and told which process has it', async () => {
  const { code, stderr } = await cli(['serve', '--port', '0', '--home', home])
  expect(stderr).toContain(`process ${serving.child.pid} on `)
  expect(stderr).toContain('already serves')
  expect(code).toBe(2)
})

test('a wrong token is refused, for a runner and for a submission', async () => {
  const unknown = { PALIMPSEST_ENROLMENT: `pal_enrol_${'0'.repeat(48)}` }
  const runner = await cli(['runner', '--server', url, '--home', runnerHome], unknown)
  expect(runner.stderr).toContain('refused this runner: this enrolment secret is unknown here; ask an admin')
  expect(runner.code).toBe(2)
  const wrong = { PALIMPSEST_TOKEN: 'pal_submitter_0000000000000000' }
  const submission = await cli(['submit', SLUG, '--method', 'ft', '--server', url], wrong)
  expect(submission.stderr).toContain('this token is unknown or was revoked')
  expect(submission.code).toBe(2)
  // A submitter's token is a token, but not an admin's.
  const { submitter } = JSON.parse(await readFile(join(home, 'tokens.json'), 'utf8'))
  const list = await cli(['runners', '--server', url], { PALIMPSEST_TOKEN: submitter.secret })
  expect(list.stderr).toContain('expected an admin token, got a submitter token')
})

test('an answer that names an error becomes that error', async () => {
  const asked = apiOf(createClient({ server: url })).board('nothing')
  await expect(asked).rejects.toThrow(RemoteError)
  await expect(asked).rejects.toMatchObject({ code: 'unknown_benchmark', status: 404 })
})

test('a submission goes from the queue to the board, past a runner that is stopped and one that is killed', async () => {
  const words = [...FT, '--key', 'one']
  const submitted = await submit(...words)
  expect(submitted.code).toBe(0)
  const again = await submit(...words)
  expect(again.stdout).toBe(submitted.stdout)

  // Two SIGTERMs: the stage stops, the job goes back, and that is a good end.
  const invited = await asAdmin('invite', '--labels', 'cpu')
  const stopped = startRunner({ secret: invited.stdout.trim() })
  await stopped.said('"kind":"progress"')
  expect((await api.queue()).running.map(({ runner }) => runner)).toEqual(['lab'])
  stopped.child.kill('SIGTERM')
  await stopped.said('once more gives it back')
  stopped.child.kill('SIGTERM')
  expect(await stopped.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"reason":"interrupted"') })
  const released = await api.queue()
  expect(released.counts.running).toBe(0)
  const [first] = released.waiting
  const { stages } = await api.run(first!.run)
  // Releasing is not failing.
  expect(stages[0]).toMatchObject({ state: 'queued', deliveries: 1, failed: 0, lost: 0, reason: 'interrupted' })

  // SIGKILL: nobody says anything; the process of the stage ends too, and another runner takes over.
  const killed = startRunner()
  await killed.said('"kind":"progress"')
  const [stage] = await childrenOf(killed.child.pid!)
  killed.child.kill('SIGKILL')
  await killed.ended
  for (let waited = 0; isAlive(stage!) && waited < 10_000; waited += 100) await sleep(100)
  expect(isAlive(stage!)).toBe(false)
  await letLeasesRunOut()

  // One SIGTERM: the job is finished first, and no other is leased though there are more.
  const drained = startRunner({ words: ['--drain-seconds', '600'] })
  await drained.said('"kind":"progress"')
  drained.child.kill('SIGTERM')
  const end = await drained.ended
  expect(end.code).toBe(0)
  expect(end.stdout.match(/"kind":"(leased|done|released)"/g)).toEqual(['"kind":"leased"', '"kind":"done"'])
  expect((await api.queue()).counts).toMatchObject({ running: 0 })

  const runner = startRunner()
  const watched = await submit(...words, '--watch', '--json')
  expect(watched.stderr).toMatch(
    /✓ FT, seed 0 {2}UA [\d.]+ {2}RA [\d.]+ {2}TA [\d.]+ {2}MIA [\d.]+ {2}AUC [\d.]+ {2}AUC \(entropy\) [\d.]+ {2}gap [\d.]+/,
  )
  expect(watched.code).toBe(0)
  runner.child.kill('SIGINT')
  expect((await runner.ended).code).toBe(130)

  const submission = JSON.parse(watched.stdout)
  expect(submission.id).toBe(submitted.stdout.trim())
  const run = await api.run(submission.runs[0].id)
  expect(run.stages.map(({ state, runner }) => [state, runner])).toEqual(Array(3).fill(['done', 'lab']))
  expect(run.avgGap).toBeGreaterThan(0)
  const reference = await api.run(run.reference!)
  expect(reference.stages[0]).toMatchObject({ deliveries: 3, lost: 1, failed: 0 })

  const board = await cli(['board', SLUG, '--server', url, '--json'])
  const { rows, references } = JSON.parse(board.stdout)
  expect(references.map(({ method }: { method: string }) => method)).toEqual(['retrain'])
  expect(rows).toMatchObject([{ method: 'ft', params: { epochs: 1 }, metrics: { ua: { n: 1 } }, avgGap: { n: 1 } }])
  const table = await cli(['board', SLUG, '--server', url])
  expect(table.stdout).toMatch(/FT +\d+\.\d\d/)
})

test('evidence and log of a run are served under its page', async () => {
  const { rows } = await api.board(SLUG)
  const { stages } = await api.run(rows[0]!.runs[0]!.id)
  const [train, unlearn, evaluate] = stages
  // onnxruntime alone takes more than 50 MB, and nothing here needs 2 GB.
  for (const { memory } of stages) expect(memory?.hostBytes).toSatisfy((bytes: number) => bytes > 50e6 && bytes < 2e9)
  const { sha256, bytes } = evaluate!.artifacts['evidence.safetensors']!
  const evidence = await (await fetch(`${url}/api/v1/artifacts/${sha256}`)).arrayBuffer()
  expect(evidence.byteLength).toBe(bytes)
  expect(unlearn!.logLength).toBeGreaterThan(0)
  const log = await (await fetch(`${url}/api/v1/jobs/${train!.key}/log`)).text()
  expect(log).toMatch(/^\d\d:\d\d:\d\d training small-cnn \(\d+ parameters\) on 5000 images/m)
  expect(Buffer.byteLength(log)).toBe(train!.logLength)
})

test('a run that was looked at along the way shows its path to retrain, which ends where the run does', async () => {
  const { rows } = await api.board(SLUG)
  const { id, metrics, stages, command } = await api.run(rows[0]!.runs[0]!.id)
  const { sha256 } = stages[1]!.artifacts['path.json']!
  const { points } = path.parse(await (await fetch(`${url}/api/v1/artifacts/${sha256}`)).json())
  // The original, and one pass.
  expect(points.map(({ pass }) => pass)).toEqual([0, 1])
  const own = (name: string) => metrics[name]!.value
  expect(points[1]!.values).toEqual({ ua: own('ua'), ra: own('ra'), ta: own('ta'), mia: own('mia') })
  const page = await (await fetch(`${url}/runs/${id}`)).text()
  expect(page).toContain('<h2 id="path">Path to retrain</h2>')
  expect(page).toMatch(/<svg class="chart wide"[^>]* aria-label="The mean gap goes from [\d.]+ to [\d.]+ points/)
  expect(page).not.toContain('It does not end where this run does')
  expect(command).toMatch(/ --every epoch$/)
})

test('a run is verified against what its runner signed, and only with the key that was told', async () => {
  const { rows } = await api.board(SLUG)
  const { id } = rows[0]!.runs[0]!
  const good = await cli(['verify', id, '--server', url])
  expect(good.stderr).toContain('All that is there is what was signed, and every number follows from it.')
  for (const part of ['signature', 'spec', 'result', 'log', 'weights.safetensors', 'evidence.safetensors']) {
    expect(good.stdout).toContain(`✓ ${part}`)
  }
  // Recomputed by this machine's engine, beside retrain of the same seed.
  for (const part of ['ua', 'ua of retrain', 'ua gap', 'mia', 'Avg. Gap', 'seconds', 'fraction of retrain']) {
    expect(good.stdout).toContain(`✓ ${part}\n`)
  }
  expect(good.code).toBe(0)
  const board = await cli(['verify', '--board', SLUG, '--server', url])
  expect(board.stderr).toMatch(/Every number of the board follows from what was signed: \d+ rows?\./)
  expect(board.code).toBe(0)
  const stranger = await cli(['verify', id, '--server', url, '--key', 'A'.repeat(43)])
  expect(stranger.stdout).toContain(`not by ${'A'.repeat(43)}`)
  expect(stranger.code).toBe(1)
})

test('a runner with results in its store sends them without computing', async () => {
  const other = await temporaryFolder()
  const server = startCli(['serve', '--port', '0', '--home', other])
  await server.said('Ctrl-C stops.')
  const address = server.output().stdout.trim()
  const tokens = ['--server', address, '--token-file', join(other, 'tokens.json')]
  await cli(['submit', SLUG, ...FT, ...tokens])
  // This machine is a runner of two servers now.
  const invited = await cli(['runners', 'invite', ...tokens])
  const secret = join(other, 'secret.txt')
  await writeFile(secret, invited.stdout)
  const enrolled = await cli(['enrol', '--server', address, '--home', runnerHome, '--enrolment-file', secret])
  expect(enrolled).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rnr_[0-9a-f]{16}\n$/) })
  const runner = startCli(['runner', '--server', address, '--home', runnerHome, '--json'])
  await runner.said('"kind":"idle"')
  const events = runner
    .output()
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const done = events.filter(({ kind }) => kind === 'done')
  expect(done.map(({ reused }) => reused)).toEqual([true, true, true, true, true])
  runner.child.kill('SIGTERM')
  await runner.ended
  server.child.kill('SIGINT')
  expect((await server.ended).code).toBe(0)
})

test('an admin sees, pauses, drains and revokes a runner, which says so', async () => {
  const folder = await temporaryFolder()
  const invited = await asAdmin('invite', '--json')
  const { secret } = JSON.parse(invited.stdout)
  const start = () =>
    startCli(['runner', '--server', url, '--home', folder, '--name', 'other'], { PALIMPSEST_ENROLMENT: secret })
  const runner = start()
  await runner.said(/Runner other \(rnr_[0-9a-f]{16}\) asks/)
  expect((await asAdmin('pause', 'other')).stderr).toMatch(/^other \(rnr_[0-9a-f]{16}\): paused$/m)
  await runner.said('paused by an admin: no jobs until this runner is resumed')
  expect((await asAdmin('label', 'other', 'gpu,a100')).stderr).toContain('labels a100, gpu')
  expect((await asAdmin('list')).stdout).toMatch(/^rnr_[0-9a-f]{16} {2}other +paused +a100, gpu/m)
  await asAdmin('resume', 'other')
  await runner.said('active again')
  await asAdmin('drain', 'other')
  expect(await runner.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('drained by an admin') })
  // Once more, by its identity: the secret is spent.
  const again = await start().ended
  expect(again.stderr).toContain('drained by an admin')
  await asAdmin('revoke', 'other')
  const refused = await start().ended
  expect(refused.stderr).toContain('refused this runner: an admin revoked the runner rnr_')
  expect(refused.code).toBe(2)
})

test('a worker never outlives the command that started it', async () => {
  const other = await temporaryFolder()
  const server = startCli(['serve', '--port', '0', '--home', other])
  await server.said('Ctrl-C stops.')
  const address = server.output().stdout.trim()
  const [wrangler] = await childrenOf(server.child.pid!)
  const workers = await childrenOf(wrangler!)
  expect(workers.length).toBeGreaterThan(0)
  server.child.kill('SIGKILL')
  await server.ended
  const all = [wrangler!, ...workers]
  for (let waited = 0; all.some(isAlive) && waited < 10_000; waited += 100) await sleep(100)
  expect(all.filter(isAlive)).toEqual([])
  await expect(fetch(`${address}/health`)).rejects.toThrow()
  // Its lock is not in the way of the next one.
  const next = startCli(['serve', '--port', '0', '--home', other])
  await next.said('Ctrl-C stops.')
  next.child.kill('SIGTERM')
  expect((await next.ended).code).toBe(0)
})

/** What 90 seconds of silence would do. */
async function letLeasesRunOut(): Promise<void> {
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const sql = `UPDATE jobs SET lease_expires_at = 0 WHERE state = 'leased'`
  const words = ['d1', 'execute', 'DB', '--local', '--persist-to', join(home, 'worker'), '--command', sql]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false', CI: '1' }
  await promisify(execFile)(process.execPath, [wrangler, ...words], { cwd: root, env })
}
