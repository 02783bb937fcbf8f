/** The path of a run: asked for, held against its shape when it comes, and drawn on the page of its run beside retrain. */
import { expect, test } from 'vitest'
import type { Path } from '../../schema/path.ts'
import {
  ask,
  errorOf,
  finish,
  lease,
  leave,
  read,
  runner,
  runOf,
  submit,
  submitter,
  upload,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner('ada')

const IDENTITIES = {
  ua: 'ua/accuracy@1',
  ra: 'ra/accuracy@1',
  ta: 'ta/accuracy@1',
  mia: 'mia/svc-confidence@1',
}
/** From the original to what `leave` measures. */
const PATH: Path = {
  every: 'epoch',
  metrics: IDENTITIES,
  points: [
    { pass: 0, values: { ua: 1, ra: 100, ta: 92, mia: 2 } },
    { pass: 1, values: { ua: 30, ra: 80, ta: 70, mia: 40 } },
    { pass: 2, values: { ua: 5, ra: 100, ta: 90, mia: 10 } },
  ],
}

/** Works off what waits; the stage that unlearns leaves this file as its path. */
async function workOff(path: unknown): Promise<void> {
  for (let job = await lease(runner); job; job = await lease(runner)) {
    const own = job.spec.kind === 'unlearn' ? { 'path.json': await upload(job, JSON.stringify(path)) } : {}
    await read(await finish(job, { artifacts: { ...(await leave(job)), ...own } }))
  }
}

test('a run that is looked at is another stage, names itself in its command, and its page draws the path', async () => {
  const { runs } = await submit(submitter, { method: 'ft', seeds: [0], every: 'epoch' })
  const plain = await submit(submitter, { method: 'ft', seeds: [0] })
  await workOff(PATH)
  const [looked, unlooked] = [await runOf(runs[0]!.id), await runOf(plain.runs[0]!.id)]
  expect(looked.stages[0]!.key).toBe(unlooked.stages[0]!.key)
  expect(looked.stages[1]!.key).not.toBe(unlooked.stages[1]!.key)
  expect(unlooked.stages[1]!.spec).not.toHaveProperty('every')
  expect(looked.command).toBe(`${unlooked.command} --every epoch`)
  const page = await (await ask(`/runs/${looked.id}`)).text()
  // Retrain is invented like the result: gaps of the original are 4, 0, 2 and 8, and of the result none.
  expect(page).toContain('<h3>The mean gap goes from 3.50 to 0 points</h3>')
  expect(page).toMatch(/<svg class="chart wide"[^>]*role="img" aria-label="The mean gap goes from 3.50/)
  expect(page).toContain('<td class="num">1.00<span class="muted"> (−4.00)</span></td>')
  expect(await (await ask(`/runs/${unlooked.id}`)).text()).not.toContain('Path to retrain')
})

test('a path that ends elsewhere than its run says so', async () => {
  const { runs } = await submit(submitter, { method: 'ft', seeds: [0], every: 'epoch' })
  await workOff({ ...PATH, points: PATH.points.slice(0, 2) })
  const page = await (await ask(`/runs/${runs[0]!.id}`)).text()
  expect(page).toContain('It does not end where this run does (ua, ra, ta, mia)')
})

test.each([
  ['none at all', undefined, 'expected the artifact path.json, got weights.safetensors'],
  ['what is no JSON', 'text', 'path.json: expected JSON'],
  ['passes out of order', PATH.points.slice(1), 'path.json: points.0.pass: expected pass 0, got 1'],
  [
    'other metrics',
    'ua',
    'expected the metrics ua/accuracy@1, ra/accuracy@1, ta/accuracy@1, mia/svc-confidence@1, got ua',
  ],
] as const)('a stage that was asked for a path is refused with %s', async (_, file, why) => {
  await submit(submitter, { method: 'ft', seeds: [0], every: 'epoch' })
  for (let job = await lease(runner); job; job = await lease(runner)) {
    if (job.spec.kind !== 'unlearn') {
      await read(await finish(job))
      continue
    }
    const only = { ...PATH, metrics: { ua: IDENTITIES.ua }, points: [{ pass: 0, values: { ua: 1 } }] }
    const content = file === 'text' ? '{' : JSON.stringify(file === 'ua' ? only : { ...PATH, points: file })
    const path = file === undefined ? {} : { 'path.json': await upload(job, content) }
    const { code, message } = await errorOf(await finish(job, { artifacts: { ...(await leave(job)), ...path } }))
    expect(code).toBe('invalid_result')
    expect(message).toContain(why)
    return
  }
  expect.unreachable('no stage that unlearns came')
})

test.each([
  ['retrain', {}, 'every: Retrain trains from scratch, which is no way from the original; leave it out'],
  [
    'ft',
    { benchmark: 'fashion-mnist-5k-16.ddpm-unet.class-wise' },
    "can't be looked at along the way, since metrics of image generation take stages of their own; leave it out",
  ],
])('%s is refused where it has no path', async (method, own, why) => {
  const body = { benchmark: 'fashion-mnist-5k.small-cnn.random-10', method, seeds: [0], every: 'epoch', ...own }
  const answer = await ask('/api/v1/submissions', { token: submitter, json: body })
  expect(answer.status).toBe(400)
  expect((await errorOf(answer)).message).toContain(why)
})
