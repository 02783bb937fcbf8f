/** What counts, and for how long: withdrawn submissions, results set aside, inputs that no runner can use, references that are
 *  everybody's, and seeds that nobody chooses. */
import { describe, expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import type { Run } from '../../schema/api/run.ts'
import type { Submission } from '../../schema/api/submission.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import {
  ADMIN,
  ask,
  bindings,
  enrol,
  errorOf,
  fail,
  finish,
  lease,
  read,
  runner,
  runOf,
  SLUG,
  submit,
  submitter,
  tokenFor,
  useSubmitterAndRunner,
  workOff,
} from './support.ts'

useSubmitterAndRunner('ada')

const boardOf = async (): Promise<Board> => read(await ask(`/api/v1/benchmarks/${SLUG}/board`))
const rowsOf = async () => (await boardOf()).rows.map(({ method, runs }) => [method, runs.map(({ state }) => state)])
const withdraw = (id: string, token: string, reason = 'the label was wrong') =>
  ask(`/api/v1/submissions/${id}/withdraw`, { token, json: { reason } })
const setAside = (key: string, token = ADMIN) =>
  ask(`/api/v1/jobs/${key}/set-aside`, { token, json: { reason: 'made up' } })
const stageOf = (run: Run, kind: string) => run.stages.find(({ spec }) => spec.kind === kind)!
const statesOf = ({ stages }: Run) => stages.map(({ spec, state }) => `${spec.kind} ${state}`)

describe('a submission that is withdrawn', () => {
  test('leaves the ranking, which says who took it away and why, and its label goes too', async () => {
    const { id, runs } = await submit(submitter, { seeds: [0, 1, 2], label: 'rude' })
    await submit(await tokenFor('submitter', 'bob'), { method: 'ga', seeds: [0, 1, 2] })
    await workOff(runner)
    expect((await rowsOf()).map(([method]) => method)).toEqual(['ft', 'ga'])
    const withdrawn = await read<Submission>(await withdraw(id, submitter))
    expect(withdrawn).toMatchObject({ withdrawn: { by: 'author', reason: 'the label was wrong' }, label: '' })
    const board = await boardOf()
    expect(board.rows.map(({ method, rank }) => [method, rank])).toEqual([['ga', { low: 1, high: 1 }]])
    expect(board.absent).toMatchObject([
      { submission: id, author: 'ada', reason: 'the label was wrong', why: { kind: 'withdrawn', by: 'author' } },
    ])
    const run = await runOf(runs[0]!.id)
    expect(run).toMatchObject({ state: 'cancelled', label: '', withdrawn: { reason: 'the label was wrong' } })
    for (const path of ['/', `/boards/${SLUG}`, `/runs/${run.id}`, `/submissions/${id}`, '/api/v1/runs', '/queue']) {
      expect([path, (await (await ask(path)).text()).includes('rude')]).toEqual([path, false])
    }
  })

  test('ends what has not ended, keeps its first reason, and can be submitted anew without computing', async () => {
    const { id } = await submit(submitter, { seeds: [0, 1] })
    await workOff(runner, undefined, 5)
    await read(await withdraw(id, ADMIN, 'spam'))
    expect(await read<Submission>(await withdraw(id, ADMIN, 'another'))).toMatchObject({
      withdrawn: { by: 'admin', reason: 'spam' },
      runs: [{ state: 'cancelled' }, { state: 'cancelled' }],
    })
    // Nothing of it is left in the queue, its references neither.
    expect(await lease(runner)).toBeNull()
    const again = await submit(submitter, { seeds: [0] })
    expect(again.runs[0]).toMatchObject({ state: 'done' })
  })

  test('is its own author’s or an admin’s to withdraw, and a reference is nobody’s', async () => {
    const { id } = await submit(submitter, { seeds: [0] })
    expect(await errorOf(await withdraw(id, await tokenFor('submitter', 'bob')))).toMatchObject({ status: 403 })
    expect(await errorOf(await withdraw(id, submitter, ' '))).toMatchObject({ status: 400 })
    expect(await errorOf(await withdraw('nothing', submitter))).toMatchObject({ status: 404 })
    const { submissions } = await read<{ submissions: Submission[] }>(await ask('/api/v1/submissions?method=retrain'))
    expect(await errorOf(await withdraw(submissions[0]!.id, submitter))).toMatchObject({ status: 403 })
    expect(await errorOf(await withdraw(submissions[0]!.id, ADMIN))).toMatchObject({ status: 409 })
  })
})

describe('a result that is set aside', () => {
  test('takes all that was computed from it along, and boards say so until there is another', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    await workOff(runner)
    const before = await runOf(runs[0]!.id)
    const { stages } = await read<{ stages: string[] }>(await setAside(stageOf(before, 'unlearn').key))
    expect(new Set(stages)).toEqual(new Set(['unlearn', 'evaluate'].map((kind) => stageOf(before, kind).key)))
    const after = await runOf(runs[0]!.id)
    expect(statesOf(after)).toEqual(['train done', 'unlearn queued', 'evaluate queued'])
    expect([after.state, after.metrics]).toEqual(['running', {}])
    expect(stageOf(after, 'unlearn').history).toMatchObject([{ outcome: 'set-aside', message: 'made up' }])
    const [absence] = (await boardOf()).absent
    expect(absence).toMatchObject({ reason: 'made up', why: { kind: 'set-aside', run: after.id, seed: 0 } })
    expect(await (await ask(`/boards/${SLUG}`)).text()).toContain('made up')
    await workOff(runner, () => ({ ua: 7, ra: 100, ta: 90, mia: 10 }))
    expect((await runOf(after.id)).metrics.ua).toMatchObject({ value: 7, earlier: [] })
    expect((await boardOf()).absent).toEqual([])
  })

  test('calls off the work of those that read it', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    let job: Job
    for (;;) {
      job = (await lease(runner))!
      if (job.spec.kind === 'unlearn') break
      await read(await finish(job, job.spec.kind === 'evaluate' ? { metrics: {} } : {}))
    }
    await read(await setAside(stageOf(await runOf(runs[0]!.id), 'train').key))
    expect(await errorOf(await finish(job))).toMatchObject({ status: 409, code: 'stale_lease' })
    expect(statesOf(await runOf(runs[0]!.id))).toEqual(['train queued', 'unlearn queued', 'evaluate queued'])
  })

  test('is an admin’s to set aside, of a stage that has a result', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    const { key } = stageOf(await runOf(runs[0]!.id), 'train')
    expect(await errorOf(await setAside(key))).toMatchObject({ status: 404 })
    expect(await errorOf(await setAside(key, submitter))).toMatchObject({ status: 403 })
  })

  test('that of a revoked runner is so as well, unless it only retires', async () => {
    for (const [query, left] of [
      ['', 'queued'],
      ['?results=keep', 'done'],
    ] as const) {
      const { token, id } = await enrol(`lab${query}`)
      const { runs } = await submit(submitter, { seeds: [0], params: { epochs: query ? 2 : 3 } })
      await workOff(token)
      await read(await ask(`/api/v1/runners/${id}${query}`, { token: ADMIN, method: 'DELETE' }))
      const run = await runOf(runs[0]!.id)
      expect([query, run.stages.at(-1)!.state]).toEqual([query, left])
      await workOff(runner)
      expect((await runOf(runs[0]!.id)).state).toBe('done')
    }
  })
})

describe('a stage whose input will not do', () => {
  /** The unlearning of a run, leased. */
  async function unlearning(by: string): Promise<Job> {
    for (;;) {
      const job = (await lease(by))!
      if (job.spec.kind === 'unlearn') return job
      await read(await finish(job))
    }
  }
  const cannotUse = (job: Job) =>
    fail(job, {
      outcome: 'released',
      reason: 'input',
      message: 'weights.safetensors: expected conv.weight, got nothing',
    })
  const placeOf = async ({ inputs }: Job) => {
    const { sha256, bytes } = Object.values(inputs)[0]!['weights.safetensors']!
    const path = await bindings.DB.prepare('SELECT path FROM artifacts WHERE sha256 = ?')
      .bind(sha256)
      .first<string>('path')
    return { path: path!, bytes }
  }

  test('has it computed anew where its bytes are gone or others', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    await tokenFor('runner', 'another')
    for (const [harm, reason] of [
      [(path: string) => bindings.STORE.delete(path), /^weights.safetensors \(\w{12}\) is missing$/],
      [(path: string) => bindings.STORE.put(path, 'short'), /has 5 bytes instead of \d+$/],
      [(path: string, bytes: number) => bindings.STORE.put(path, 'x'.repeat(bytes)), /hashes to \w{12}$/],
    ] as const) {
      const job = await unlearning(runner)
      const { path, bytes } = await placeOf(job)
      await harm(path, bytes)
      await read(await cannotUse(job))
      const run = await runOf(runs[0]!.id)
      expect(statesOf(run)).toEqual(['train queued', 'unlearn queued', 'evaluate queued'])
      expect(stageOf(run, 'train').history.at(-1)).toMatchObject({ outcome: 'set-aside' })
      expect(stageOf(run, 'train').history.at(-1)?.message).toMatch(reason)
      expect(run.stages.map(({ failed }) => failed)).toEqual([0, 0, 0])
    }
    await workOff(runner)
    expect((await runOf(runs[0]!.id)).state).toBe('done')
  })

  test('believes two runners that cannot use it, and not one', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    const other = await tokenFor('runner', 'another')
    await lease(other, undefined)
    const job = await unlearning(runner)
    await read(await cannotUse(job))
    expect(statesOf(await runOf(runs[0]!.id))[0]).toBe('train done')
    await read(await cannotUse(await unlearning(other)))
    expect(statesOf(await runOf(runs[0]!.id))[0]).toBe('train queued')
  })

  test('fails once its input was computed again and again', async () => {
    const { runs } = await submit(submitter, { seeds: [0] })
    for (let time = 1; time <= 4; time++) await read(await cannotUse(await unlearning(runner)))
    const stage = stageOf(await runOf(runs[0]!.id), 'unlearn')
    expect(stage).toMatchObject({ state: 'failed', reason: 'input' })
    expect(stage.message).toContain('computed 4 times')
  })
})

describe('references', () => {
  test('of submissions at once are made once', async () => {
    const tokens = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => tokenFor('submitter', name)))
    await Promise.all(tokens.map((token, i) => submit(token, { seeds: [0, 1], params: { epochs: i + 1 } })))
    const { results } = await bindings.DB.prepare(
      `SELECT seed, COUNT(*) AS n FROM runs WHERE reference = 'retrain@1' GROUP BY seed`,
    ).all()
    expect(results).toEqual([
      { seed: 0, n: 1 },
      { seed: 1, n: 1 },
    ])
    const empty = `SELECT COUNT(*) AS n FROM submissions s WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.submission_id = s.id)`
    expect(await bindings.DB.prepare(empty).first('n')).toBe(0)
  })

  test('stay while anyone is shown beside them, end with the last one, and are asked for again', async () => {
    const cancel = async ({ id }: Submission, token: string) =>
      read(await ask(`/api/v1/submissions/${id}/cancel`, { token, method: 'POST' }))
    const bob = await tokenFor('submitter', 'bob')
    const first = await submit(submitter, { seeds: [0] })
    const second = await submit(bob, { seeds: [0], params: { epochs: 2 } })
    const state = async () =>
      (await read<{ runs: { state: string }[] }>(await ask('/api/v1/runs?method=retrain'))).runs.map((run) => run.state)
    await cancel(first, submitter)
    expect(await state()).toEqual(['queued'])
    await cancel(second, bob)
    expect(await state()).toEqual(['cancelled'])
    expect(await lease(runner)).toBeNull()
    await submit(bob, { seeds: [0] })
    expect(await state()).toEqual(['queued'])
    await workOff(runner)
    expect((await boardOf()).rows[0]?.avgGap).not.toBeNull()
  })
})

test('the runs of a token that is revoked end, and what was done stays', async () => {
  const done = await submit(submitter, { seeds: [0] })
  await workOff(runner)
  const open = await submit(submitter, { seeds: [1] })
  const { tokens } = await read<{ tokens: { id: string; name: string }[] }>(
    await ask('/api/v1/tokens', { token: ADMIN }),
  )
  const { id } = tokens.find(({ name }) => name === 'ada')!
  await read(await ask(`/api/v1/tokens/${id}`, { token: ADMIN, method: 'DELETE' }))
  expect((await runOf(done.runs[0]!.id)).state).toBe('done')
  expect((await runOf(open.runs[0]!.id)).state).toBe('cancelled')
  expect(await lease(runner)).toBeNull()
})

describe('seeds', () => {
  const score = (_: string, seed: number) => ({ ua: seed, ra: 100, ta: 90, mia: 10 })

  test('are counted in the order of the benchmark, so that the best of many cannot be chosen', async () => {
    await submit(submitter, { seeds: [1, 2, 7, 9] })
    await submit(submitter, { method: 'ga', seeds: [0, 1, 2, 3, 5] })
    await workOff(runner, score)
    const { rows } = await boardOf()
    const shown = Object.fromEntries(
      rows.map(({ method, gapBySeed, uncounted, rank }) => [
        method,
        [Object.keys(gapBySeed), uncounted, rank !== null],
      ]),
    )
    // The benchmark has the seeds 0, 1 and 2: 3 follows without a gap, 5 does not.
    expect(shown).toEqual({ ft: [[], [1, 2, 7, 9], false], ga: [['0', '1', '2', '3'], [5], true] })
  })

  test('a row that lacks some of the benchmark’s own stands below those that have them', async () => {
    await submit(submitter, { seeds: [0] })
    await submit(submitter, { method: 'ga', seeds: [0, 1, 2] })
    await workOff(runner, (method, seed) =>
      method === 'ga' ? { ...metricValues, ua: 50 + seed } : { ...metricValues, ua: 10 },
    )
    const { rows } = await boardOf()
    expect(rows.map(({ method, rank }) => [method, rank !== null])).toEqual([
      ['ga', true],
      ['ft', false],
    ])
  })
})

const metricValues = { ua: 10, ra: 100, ta: 90, mia: 10 }
