/** Runners that cheat, against the real Worker: each is noticed where its result arrives, and an honest one is believed afterwards. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runnerAccess } from '../../runner/agent/access.ts'
import { createClient } from '../../runner/agent/client.ts'
import { enrol } from '../../runner/agent/identity.ts'
import { runLoop } from '../../runner/agent/loop.ts'
import { readSafetensors, type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { computationOf } from '../../runner/pipeline/computation.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { openStore } from '../../runner/store/store.ts'
import type { Board } from '../../schema/api/board.ts'
import type { Run } from '../../schema/api/run.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { StageResult } from '../../schema/result.ts'
import { newPrivateKey } from '../../schema/signature.ts'
import { filesOf, SCORES } from '../support/artifacts.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { forged, smallOrder } from '../support/edwards25519.ts'
import { enrolmentBody } from '../support/enrolled.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { device, probe } from '../support/probe.ts'
import { type Server, startServer } from '../support/server.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const CLASS = 'fashion-mnist-5k.small-cnn.class-3'

let server: Server
let plain: ReturnType<typeof fakeRunner>
let author: string
let token: string
beforeAll(async () => {
  server = await startServer({ POLL_MS: '500' })
  plain = fakeRunner(server)
  author = await plain.tokenFor('submitter', 'ada')
  token = await plain.tokenFor('runner', 'lab')
})
afterAll(async () => {
  await server?.stop()
  await cleanUp()
})

const get = async <T>(path: string): Promise<T> => (await fetch(server.url + path)).json() as Promise<T>
const runOf = (id: string) => get<Run>(`/api/v1/runs/${id}`)

type Files = Record<string, string | Uint8Array<ArrayBuffer>>

async function resultOf(job: Job, files: Files, change: Partial<StageResult> = {}): Promise<StageResult> {
  const artifacts: StageResult['artifacts'] = {}
  for (const [name, content] of Object.entries(files)) artifacts[name] = await plain.upload(job, content)
  const seconds = job.spec.kind === 'train' ? { setUp: 1, train: 9 } : { setUp: 1 }
  return { artifacts, seconds, device, versions: {}, metrics: {}, losses: [], ...change }
}

/** Hands such files in, and tells what the server said. */
const hand = async (job: Job, files: Files, change: Partial<StageResult> = {}): Promise<string> =>
  plain.finish(job, await resultOf(job, files, change)).then(
    () => 'taken',
    (error: Error) => error.message.replace(/^POST \S+: /, ''),
  )

const metricsOf = (values: Partial<typeof SCORES>): StageResult['metrics'] => {
  const identities = { ua: 'ua/accuracy@1', ra: 'ra/accuracy@1', ta: 'ta/accuracy@1', mia: 'mia/svc-confidence@1' }
  const entries = Object.entries(values) as [keyof typeof SCORES, number][]
  return Object.fromEntries(entries.map(([id, value]) => [id, { identity: identities[id], value }]))
}

describe('weights', () => {
  let job: Job
  let honest: Uint8Array<ArrayBuffer>
  beforeAll(async () => {
    await plain.submit(author, { benchmark: SLUG, method: 'retrain', seeds: [0] })
    job = (await plain.lease(token))!
    honest = (await filesOf(job.spec))['weights.safetensors']!
  })

  /** The honest file with one of its tensors in the place of another. */
  const changed = (change: (tensors: Map<string, Tensor>) => void) => {
    const { tensors } = readSafetensors(honest)
    change(tensors)
    return writeSafetensors(tensors)
  }
  const floats = (shape: number[], value = 0): Tensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
  })

  test.each<[string, () => Files, RegExp]>([
    ['none', () => ({}), /expected the artifact weights\.safetensors, got none/],
    [
      'under another name',
      () => ({ 'weights.bin': honest }),
      /expected the artifact weights\.safetensors, got weights\.bin/,
    ],
    [
      'that are an empty object',
      () => ({ 'weights.safetensors': '{}' }),
      /expected at least 8 bytes of safetensors|header/,
    ],
    [
      'that are no model',
      () => ({ 'weights.safetensors': 'not a model' }),
      /expected a header of at most 1048576 bytes/,
    ],
    [
      'of no tensor',
      () => ({ 'weights.safetensors': writeSafetensors(new Map()) }),
      /expected the tensor conv1\.weight, .* more, got none/,
    ],
    ['that were cut off', () => ({ 'weights.safetensors': honest.slice(0, -4) }), /the file is cut off/],
    [
      'of another width',
      () => ({ 'weights.safetensors': changed((tensors) => tensors.set('fc2.weight', floats([10, 64]))) }),
      /expected fc2\.weight as F32 \[10, 128\], got F32 \[10, 64\]/,
    ],
    [
      'with a tensor more',
      () => ({ 'weights.safetensors': changed((tensors) => tensors.set('payload', floats([9]))) }),
      /expected \d+ tensors, got payload as well/,
    ],
    [
      'with NaN',
      () => ({ 'weights.safetensors': changed((tensors) => tensors.set('fc2.bias', floats([10], Number.NaN))) }),
      /expected finite numbers, got another in fc2\.bias \(entry 0\)/,
    ],
    [
      'with infinity at the very end',
      () => ({
        'weights.safetensors': changed((tensors) => {
          const last = floats([10])
          ;(last.data as Float32Array)[9] = Number.NEGATIVE_INFINITY
          tensors.set('fc2.bias', last)
        }),
      }),
      /expected finite numbers, got another in fc2\.bias \(entry 9\)/,
    ],
  ])('%s are refused', async (_, files, why) => {
    const said = await hand(job, files())
    expect(said).toMatch(/^422 .*"code":"invalid_result"/)
    expect(said).toMatch(why)
  })

  test('metrics of a stage that measures nothing are refused', async () => {
    const files = { 'weights.safetensors': honest }
    expect(await hand(job, files, { metrics: metricsOf({ ua: 12 }) })).toMatch(/422 .*expected no metrics .* got ua/)
  })

  test.each([1e308, 2e8])('%f seconds of training are refused', async (train) => {
    const files = { 'weights.safetensors': honest }
    expect(await hand(job, files, { seconds: { setUp: 1, train } })).toMatch(/400 .*seconds\.train: expected from 0 to/)
  })

  test('the honest file is taken all the same', async () => {
    expect(await hand(job, { 'weights.safetensors': honest })).toBe('taken')
  })
})

describe('evidence', () => {
  let job: Job
  let honest: Uint8Array<ArrayBuffer>
  beforeAll(async () => {
    await plain.submit(author, { benchmark: CLASS, method: 'retrain', seeds: [1] })
    for (;;) {
      job = (await plain.lease(token))!
      const files = await filesOf(job.spec)
      honest = files['evidence.safetensors']!
      if (job.spec.kind === 'evaluate' && job.spec.request.kind === 'class') return
      await hand(job, files)
    }
  })

  const changed = (change: (evidence: Evidence) => void) => {
    const evidence = decodeEvidence(honest)
    change(evidence)
    return encodeEvidence(evidence)
  }
  const softmax = (logits: Float32Array, classes: number) =>
    logits.map((_, i) => {
      const row = logits.subarray(i - (i % classes), i - (i % classes) + classes)
      return Math.exp(logits[i]!) / row.reduce((sum, logit) => sum + Math.exp(logit), 0)
    })

  test.each<[string, () => string | Uint8Array<ArrayBuffer>, RegExp]>([
    ['that is none', () => 'not a model', /expected a header of at most/],
    [
      'of fewer examples',
      () =>
        changed(({ forget }) => {
          forget.logits = forget.logits.slice(0, 10)
          forget.labels = forget.labels.slice(0, 1)
        }),
      /expected forget\.logits as F32 \[500, 10\], got F32 \[1, 10\]/,
    ],
    [
      'of easier examples',
      () => changed(({ test }) => test.labels.fill(0)),
      /expected 200 test examples of class 0, got 2000/,
    ],
    [
      'of examples that were not to be forgotten',
      () =>
        changed(({ forget, retain }) => {
          const kept = retain.labels[0]!
          retain.labels[0] = forget.labels[0]!
          forget.labels[0] = kept
        }),
      /expected no example of class 3 in the retain set, got 1/,
    ],
    [
      'of another forgotten class',
      () => {
        const { forget, retain, test } = decodeEvidence(honest)
        return encodeEvidence({ classes: 10, forgottenClass: 4, forget, retain, test })
      },
      /expected 3 as the forgotten class, got 4/,
    ],
    [
      'of a class that there is not',
      () => {
        const { tensors } = readSafetensors(honest)
        return writeSafetensors(tensors, { classes: '10', forgottenClass: '99' })
      },
      /expected a forgottenClass below 10, the number of classes, got 99/,
    ],
    [
      'of probabilities',
      () => changed(({ forget }) => forget.logits.set(softmax(forget.logits, 10))),
      /these are probabilities; expected logits/,
    ],
    [
      'with NaN',
      () => changed(({ test }) => test.logits.fill(Number.NaN, 7, 8)),
      /got another in test\.logits \(entry 7\)/,
    ],
  ])('%s is refused', async (_, content, why) => {
    const said = await hand(job, { 'evidence.safetensors': content() })
    expect(said).toMatch(/^422 .*"code":"invalid_result"/)
    expect(said).toMatch(why)
  })

  test.each<[string, StageResult['metrics'], RegExp]>([
    [
      'all 42',
      metricsOf({ ua: 42, ra: 42, ta: 42, mia: 42 }),
      /metrics\.ua: expected 5, which the evidence gives, got 42/,
    ],
    ['one of them better', metricsOf({ ...SCORES, mia: 11 }), /metrics\.mia: expected 10, .* got 11/],
    ['of 1e300', metricsOf({ ua: 1e300 }), /metrics\.ua: expected from 0 to 100 \(%\), got 1e\+300/],
    [
      'under an identity of their own',
      { ua: { identity: 'ua/accuracy@1;better=yes', value: 5 } },
      /expected metrics\.ua of the identity ua\/accuracy@1, got metrics\.ua of ua\/accuracy@1;better=yes/,
    ],
    [
      'under the name of another',
      { ra: { identity: 'ua/accuracy@1', value: 5 } },
      /expected metrics\.ua of the identity ua\/accuracy@1, got metrics\.ra/,
    ],
  ])('metrics that are %s are refused', async (_, metrics, why) => {
    const said = await hand(job, { 'evidence.safetensors': honest }, { metrics })
    expect(said).toMatch(/^4(00|22) /)
    expect(said).toMatch(why)
  })

  test('the honest result is taken, and the server computes what it leaves out', async () => {
    const said = await hand(job, { 'evidence.safetensors': honest }, { metrics: metricsOf({ ua: 5 }) })
    expect(said).toBe('taken')
    const { rows, references } = await get<Board>(`/api/v1/benchmarks/${CLASS}/board`)
    expect(rows).toEqual([])
    const run = await runOf(references[0]!.runs[0]!.id)
    for (const [id, value] of Object.entries(SCORES)) {
      expect(run.metrics[id]).toMatchObject({ value, confirmed: true, computed: { by: 'server' } })
    }
  })
})

test('a key of small order does not enrol', async () => {
  const { secret } = await plain.post<{ secret: string }>('/api/v1/enrolments', server.adminToken, {})
  const body = await enrolmentBody(secret, await newPrivateKey())
  // Made without any private key.
  const proof = forged({ alg: 'EdDSA', typ: 'palimpsest-enrolment+jws' }, JSON.stringify({ secretSha256: '' }))
  for (const { x } of smallOrder) {
    const weak = { ...body, publicKey: { ...body.publicKey, x }, proof }
    await expect(plain.post('/api/v1/runners/enrol', undefined, weak)).rejects.toThrow(
      /: 400 .*expected a point of large order/,
    )
  }
})

test('metrics that were edited in the store of a runner are refused, set aside, and measured anew', async () => {
  const { runs } = await plain.submit(author, { benchmark: SLUG, method: 'retrain', seeds: [1] })
  const { stages } = await runOf(runs[0]!.id)
  const home = await temporaryFolder()
  const store = openStore(home)
  const made = async (spec: Job['spec']): Promise<StageResult> => {
    const artifacts: StageResult['artifacts'] = {}
    for (const [name, bytes] of Object.entries(await filesOf(spec))) artifacts[name] = await store.put(bytes)
    const metrics = spec.kind === 'evaluate' ? metricsOf(SCORES) : {}
    return { artifacts, seconds: { setUp: 1, train: 9 }, device, versions: {}, metrics, losses: [] }
  }
  const [training, evaluation] = stages
  // All that the benchmark names, so that nothing is left to compute: the store's word goes out as it is.
  const others = {
    'auc-confidence': { identity: 'auc/confidence@1', value: 50 },
    'auc-entropy': { identity: 'auc/entropy@1', value: 50 },
  }
  const edited = { ...(await made(evaluation!.spec)), metrics: { ...metricsOf({ ...SCORES, mia: 99 }), ...others } }
  const trained = await made(training!.spec)
  const inputs = async () => trained.artifacts
  const computation = await computationOf(evaluation!.spec, { threads: 1, provider: 'cpu', inputs })
  await store.writeStage(computation, edited, evaluation!.spec)

  const open = createClient({ server: server.url })
  const identity = await enrol({ home, client: open }, { secret: await plain.invite(), name: 'edited' })
  const access = runnerAccess({ client: open, identity, onTrouble: () => {} })
  const stopping = new AbortController()
  await runLoop({
    client: createClient({ server: server.url, access }),
    identity,
    store,
    places: { directories: [], cache: home },
    threads: 1,
    provider: 'cpu',
    probe,
    runStage: async ({ spec }) => ({ result: await made(spec), reused: false }),
    drain: new AbortController().signal,
    signal: stopping.signal,
    emit: ({ kind }) => kind === 'idle' && stopping.abort(new Error('stopped by the test')),
  })
  expect(await store.readStage(computation)).toBeNull()
  // Another runner is there, so that one is asked.
  const job = (await plain.lease(token))!
  expect(await hand(job, await filesOf(job.spec), { metrics: metricsOf(SCORES) })).toBe('taken')
  const after = await runOf(runs[0]!.id)
  const found = after.stages.find(({ key }) => key === evaluation!.key)!
  expect(found.history.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['failed', 'invalid_result'],
    ['done', null],
  ])
  expect(found.history[0]!.message).toContain('metrics.mia: expected 10, which the evidence gives, got 99')
  expect(after.metrics.mia).toMatchObject({ value: 10, confirmed: true })
})

test('a board that shows other numbers than its runners signed is noticed, cell by cell', async () => {
  const good = await cli(['verify', '--board', SLUG, '--server', server.url])
  expect(good.stdout).toContain('✓ Retrain: ')
  expect(good.stderr).toContain('Every number of the board follows from what was signed: 1 row.')
  expect(good.code).toBe(0)
  const liar = createServer(async (request, answer) => {
    const location = server.url + request.url!
    if (!location.endsWith('/board')) return void answer.writeHead(307, { location }).end()
    const board = (await (await fetch(location)).json()) as Board
    board.references[0]!.metrics.mia!.mean -= 1
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(board))
  })
  await new Promise<void>((ready) => liar.listen(0, '127.0.0.1', ready))
  const { port } = liar.address() as AddressInfo
  const bad = await cli(['verify', '--board', SLUG, '--server', `http://127.0.0.1:${port}`])
  liar.close()
  expect(bad.stdout).toContain('✗ mia: the server shows 9, what was signed gives 10')
  expect(bad.stderr).toContain('not what was signed: mia')
  expect(bad.code).toBe(1)
})
