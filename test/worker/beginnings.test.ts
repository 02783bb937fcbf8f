/** Results that went on from what other runners had left: who computed what stays known. */
import { beforeEach, expect, test } from 'vitest'
import type { Beginning } from '../../schema/protocol/checkpoint.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import type { Manifest, StoredManifest } from '../../schema/protocol/manifest.ts'
import { type Enrolled, signedResult } from '../support/enrolled.ts'
import {
  ask,
  enrol,
  errorOf,
  fail,
  lease,
  leave,
  read,
  resultOf,
  runOf,
  submit,
  tokenFor,
  upload,
  useFreshDatabase,
  verb,
  wholeLog,
} from './support.ts'

useFreshDatabase()

let run: string
beforeEach(async () => {
  run = (await submit(await tokenFor('submitter'), { seeds: [0], method: 'retrain' })).runs[0]!.id
})

const checkpoint = async (job: Job, content: string, position: number, began: Beginning[] = []): Promise<Beginning> => {
  const artifact = await upload(job, content)
  await read(await verb(job, 'checkpoint', { artifact, position, began }))
  return { runner: job.runner, sha256: artifact.sha256, position }
}
const giveBack = async (job: Job) =>
  read(await fail(job, { outcome: 'released', reason: 'interrupted', message: 'stopped' }))
const hand = async (job: Job, change: Partial<Manifest>) => {
  const result = resultOf({ artifacts: await leave(job) })
  return verb(job, 'finish', { manifest: await signedResult(job, { result, log: await wholeLog('') }, change) })
}

/** Leased by three runners one after the other, of which the first two left a checkpoint. */
async function passedOn(): Promise<{ job: Job; chain: Beginning[]; runners: Enrolled[] }> {
  const runners = [await enrol('first'), await enrol('second'), await enrol('third')]
  const chain: Beginning[] = []
  for (const [index, { token }] of runners.entries()) {
    const job = (await lease(token))!
    const last = chain.at(-1)
    const { runner, position } = last ?? {}
    if (last) expect(job.checkpoint).toMatchObject({ runner, position, began: chain.slice(0, -1) })
    else expect(job.checkpoint).toBeNull()
    if (index === 2) return { job, chain, runners }
    chain.push(await checkpoint(job, `after ${index + 1}`, index + 1, [...chain]))
    await giveBack(job)
  }
  throw new Error('expected three deliveries')
}

test('a checkpoint is handed on with the runner that left it and all that it went on from, and the manifest names them', async () => {
  const { job, chain, runners } = await passedOn()
  expect(chain.map(({ runner }) => runner)).toEqual(runners.slice(0, 2).map(({ id }) => id))
  await read(await hand(job, { began: chain }))
  const stored = await read<StoredManifest>(await ask(`/api/v1/jobs/${job.key}/manifest`))
  expect(stored.runner.name).toBe('third')
  expect(stored.manifest!.began).toEqual(chain)
  const { stages } = await runOf(run)
  expect(stages[0]!.history.map(({ checkpoint }) => checkpoint)).toEqual([null, ...chain])
  const page = await (await ask(`/runs/${run}`)).text()
  for (const { runner, sha256, position } of chain) {
    expect(page).toContain(`went on from a checkpoint at ${position} of ${runner}`)
    expect(page).toContain(sha256)
  }
})

test('a beginning that no delivery of the job was given is refused, in a checkpoint as in a manifest', async () => {
  const { job, chain, runners } = await passedOn()
  const [first] = chain as [Beginning, Beginning]
  const madeUp: Beginning[] = [
    { ...first, runner: runners[1]!.id },
    { ...first, sha256: 'a'.repeat(64) },
    { ...first, position: 7 },
  ]
  const artifact = await upload(job, 'third')
  for (const one of madeUp) {
    const words = `is said to go on from the checkpoint ${one.sha256} of ${one.runner} at ${one.position}, but no delivery of it was given that`
    const refusal = { status: 422, code: 'manifest_mismatch', message: `job ${job.key} ${words}` }
    expect(await errorOf(await hand(job, { began: [first, one] }))).toMatchObject(refusal)
    expect(await errorOf(await verb(job, 'checkpoint', { artifact, position: 9, began: [one] }))).toMatchObject(refusal)
  }
  // What it was given it need not have used.
  await read(await hand(job, { began: [] }))
})

test('what was left on another job is no beginning of this one', async () => {
  const { chain } = await passedOn()
  await submit(await tokenFor('submitter', 'other'), { seeds: [1], method: 'retrain' })
  const job = (await lease((await enrol('fourth')).token))!
  expect(await errorOf(await hand(job, { began: chain }))).toMatchObject({ code: 'manifest_mismatch' })
})
