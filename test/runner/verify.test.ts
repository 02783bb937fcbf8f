/** What `palimpsest verify` says of a result that went on from the checkpoint of another runner. */
import { expect, test } from 'vitest'
import type { Client } from '../../runner/agent/client.ts'
import { verifyStage } from '../../runner/agent/verify.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import type { Delivery } from '../../schema/api/run.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { planRun } from '../../schema/plan.ts'
import type { Beginning } from '../../schema/protocol/checkpoint.ts'
import { fingerprintOf, newPrivateKey, publicKeyOf, sign } from '../../schema/signature.ts'
import { device } from '../support/probe.ts'

const SIGNER = 'rnr_0000000000000002'
const given: Beginning = { runner: 'rnr_0000000000000001', sha256: 'a'.repeat(64), position: 4 }
const log = { bytes: 0, sha256: await sha256Hex('') }

/** The check of the checkpoints of a stage whose second delivery was given `given`. */
async function checked(began: Beginning[] | undefined, { pinned = false } = {}) {
  const key = await newPrivateKey()
  const benchmark = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
  const { version } = methods.get('ft')!
  const [first] = await planRun(benchmark, { id: 'ft', version }, {}, 0)
  const { key: job, spec } = first!
  const result = { artifacts: {}, seconds: { setUp: 1 }, device, versions: {}, metrics: {}, losses: [] }
  const specSha256 = await sha256Hex(canonicalJson(spec))
  const said = { job, attempt: 2, runner: SIGNER, specSha256, log, result, ...(began && { began }) }
  const jws = await sign('result', said, key)
  const publicKey = publicKeyOf(key)
  const fingerprint = await fingerprintOf(publicKey)
  const client: Pick<Client, 'manifest' | 'digest'> = {
    manifest: async () => ({
      manifest: null,
      jws,
      runner: { id: SIGNER, name: 'second', publicKey, fingerprint },
      receivedAt: '',
    }),
    digest: async () => log,
  }
  const history = [null, given].map((checkpoint, index) => ({ attempt: index + 1, checkpoint }) as Delivery)
  return verifyStage(client as Client, { key: job, spec, history, ...result }, pinned ? fingerprint : undefined)
}

const problems = ({ checks }: Awaited<ReturnType<typeof checked>>) =>
  checks.flatMap(({ part, problem }) => (problem === null ? [] : [`${part}: ${problem}`]))

test('it is named, and right where the server gave it to a delivery', async () => {
  const found = await checked([given])
  expect(found.began).toEqual([given])
  expect(found.checks).toContainEqual({ part: 'checkpoints', problem: null })
  expect(problems(found)).toEqual([])
})

test('a checkpoint that no delivery was given is a problem', async () => {
  expect(problems(await checked([{ ...given, position: 5 }]))).toEqual([
    'checkpoints: it went on from the checkpoint aaaaaaaaaaaa of rnr_0000000000000001 at 5, which the server says it gave to no delivery',
  ])
})

test('whoever believes one key only is told of work that it does not answer for', async () => {
  const [problem] = problems(await checked([given], { pinned: true }))
  expect(problem).toMatch(
    /^checkpoints: .* of rnr_0000000000000001 at 4, whose work the key \S{43} does not answer for$/,
  )
  expect(problems(await checked([{ ...given, runner: SIGNER }], { pinned: true }))).toHaveLength(1)
})

test('a manifest of release 0.1.0, which says nothing of it, is as good as before', async () => {
  const found = await checked(undefined)
  expect(found.began).toEqual([])
  expect(problems(found)).toEqual([])
})
