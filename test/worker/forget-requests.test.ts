/** Benchmarks of every kind of forget request at a server: made, worded, computed, and held to what they ask. */
import { beforeEach, expect, test } from 'vitest'
import { type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { SPLIT } from '../../runner/science/task.ts'
import type { BenchmarkView } from '../../schema/api/benchmark.ts'
import type { Board } from '../../schema/api/board.ts'
import type { Run } from '../../schema/api/run.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { sha256Hex } from '../../schema/parts/hash.ts'
import { indexListHash } from '../../schema/parts/index-list.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { SCORES } from '../support/artifacts.ts'
import {
  ask,
  errorOf,
  finish,
  lease,
  leave,
  metricsOf,
  put,
  read,
  runner,
  SLUG,
  submit,
  submitter,
  tokenFor,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner()

let organiser: string
beforeEach(async () => {
  organiser = await tokenFor('organiser')
})

const OWN = 'own.fashion.quick'
const list = Int32Array.from({ length: 40 }, (_, i) => 3 * i)
const items = { kind: 'items', count: list.length, sha256: await indexListHash(list) } as const

async function create(request: unknown, more: Record<string, unknown> = {}) {
  const { presets: _, ...builtIn } = benchmarks.get(SLUG)!
  const benchmark = { ...builtIn, slug: OWN, title: 'Fashion, quick', summary: 'Short.', seeds: [0], request, ...more }
  return await ask('/api/v1/benchmarks', { token: organiser, json: { benchmark } })
}

test.each<[string, unknown, string, string]>([
  ['a number', { kind: 'random', count: 100 }, '100 random images of D are to be forgotten', 'untraining'],
  [
    'classes',
    { kind: 'classes', labels: [1, 3] },
    'the classes 1 (Trouser), 3 (Dress) of D are to be forgotten',
    'unlearning',
  ],
  [
    'a part',
    { kind: 'part', label: 3, fraction: 0.2 },
    'a random 20% of class 3 (Dress) is to be forgotten',
    'untraining',
  ],
  ['a list', items, `the 40 images of the list ${items.sha256.slice(0, 12)} are to be forgotten`, 'untraining'],
])('%s is forgotten: computed, scored and shown with its aim', async (_, request, words, aim) => {
  await read(await create(request), 201)
  const submission = await submit(submitter, { benchmark: OWN, seeds: [0] })
  await workOff(runner)
  const board = await read<Board>(await ask(`/api/v1/benchmarks/${OWN}/board`))
  expect(board.rows.map(({ method, metrics }) => [method, Object.keys(metrics)])).toEqual([
    ['ft', ['ua', 'ra', 'ta', 'mia']],
  ])
  for (const path of [`/boards/${OWN}`, `/runs/${submission.runs[0]!.id}`])
    expect((await (await ask(path)).text()).includes(words), path).toBe(true)
  expect((await (await ask(`/boards/${OWN}`)).text()).includes(`<dd>${aim}: `)).toBe(true)
  expect((await read<BenchmarkView>(await ask(`/api/v1/benchmarks/${OWN}`))).aim).toBe(aim)
})

test('a benchmark can say its aim, and what it cannot ask is refused with its place', async () => {
  expect(await read<BenchmarkView>(await create(items, { aim: 'unlearning' }), 201)).toMatchObject({
    aim: 'unlearning',
  })
  const cases: [unknown, RegExp][] = [
    [{ ...items, path: '/etc/passwd' }, /request\.path: expected none/],
    [{ ...items, sha256: 'abc' }, /request\.sha256: expected 64/],
    [{ ...items, count: 5000 }, /the request forgets 5000 of 5000 images/],
    [{ kind: 'random', count: 0 }, /request\.count: expected at least 1/],
    [{ kind: 'random' }, /request\.fraction: expected either/],
    [{ kind: 'part', label: 12, count: 5 }, /forgets class 12/],
    [{ kind: 'part', label: 1, count: 501 }, /the request forgets 501 of 500 images of class 1/],
    [{ kind: 'classes', labels: [...Array(10).keys()] }, /the request forgets 5000 of 5000/],
  ]
  for (const [request, message] of cases) {
    const { status, message: said } = await errorOf(await create(request, { slug: 'own.wrong' }))
    expect(`${status} ${said}`).toMatch(new RegExp(`^400 .*${message.source}`, 's'))
  }
})

/** Hands in an evaluation with such a file of positions. */
async function finishWith(job: Job, tensors: Record<string, Int32Array>): Promise<Response> {
  const named = Object.entries(tensors).map(([name, data]): [string, Tensor] => [
    name,
    { dtype: 'I32', shape: [data.length], data },
  ])
  const bytes = writeSafetensors(new Map(named))
  const sha256 = await sha256Hex(bytes)
  await put(job, sha256, bytes)
  const artifacts = { ...(await leave(job)), [SPLIT]: { sha256, bytes: bytes.byteLength } }
  return await finish(job, { artifacts, metrics: metricsOf(SCORES) })
}

test('the positions of a run can be fetched from its page, and are those of the request or refused', async () => {
  await read(await create(items), 201)
  const submission = await submit(submitter, { benchmark: OWN, method: 'retrain', seeds: [0] })
  await read(await finish((await lease(runner))!))
  const job = (await lease(runner))!
  const rest = Int32Array.from(Array.from({ length: 5000 }, (_, i) => i).filter((i) => !list.includes(i)))
  const other = Int32Array.from(list, (position) => position + 1)
  const swapped = Int32Array.from(rest).reverse()
  const beyond = Int32Array.from(rest).fill(5000, -1)
  const cases: [Record<string, Int32Array>, RegExp][] = [
    [{ forget: list }, /expected the tensor retain/],
    [{ forget: list.subarray(1), retain: rest }, /expected forget as I32 \[40\]/],
    [{ forget: list, retain: swapped }, /expected ascending positions in retain/],
    [{ forget: list, retain: beyond }, /expected positions below 5000, got 5000/],
    [{ forget: other, retain: rest }, /expected no position in both|expected the list/],
  ]
  for (const [tensors, message] of cases) {
    const { code, message: said } = await errorOf(await finishWith(job, tensors))
    expect(`${code} ${said}`).toMatch(new RegExp(`^invalid_result split\\.safetensors: .*${message.source}`))
  }
  await read(await finishWith(job, { forget: list, retain: rest }))
  const run = await read<Run>(await ask(`/api/v1/runs/${submission.runs[0]!.id}`))
  const { sha256 } = run.stages.at(-1)!.artifacts[SPLIT]!
  const page = await (await ask(`/runs/${run.id}`)).text()
  expect(page.includes(`/api/v1/artifacts/${sha256}?name=${SPLIT}`)).toBe(true)
})
