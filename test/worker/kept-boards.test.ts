/** Boards that are kept: as new as what was handed in last, whoever looks at once, and the same as one that is computed from
 *  nothing. */
import { expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import type { Submission } from '../../schema/api/submission.ts'
import type { SuiteBoard } from '../../schema/api/suite.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { app } from '../../worker/app.ts'
import {
  ask,
  bindings,
  finish,
  lease,
  metricsOf,
  read,
  SLUG,
  submit,
  tokenFor,
  useFreshDatabase,
  workOff,
} from './support.ts'

useFreshDatabase()

const API = `/api/v1/benchmarks/${SLUG}/board`
const SUITE = 'fashion-mnist-5k.small-cnn.class-wise'

async function board<Shape = Board>(path = API): Promise<Omit<Shape, 'generatedAt'>> {
  const { generatedAt, ...rest } = await read<Shape & { generatedAt: string }>(await ask(path))
  return rest
}

/** The same with nothing kept. */
async function anew<Shape = Board>(path = API) {
  await bindings.DB.prepare('DELETE FROM boards').run()
  return board<Shape>(path)
}

const changes = async () => (await bindings.DB.prepare('SELECT * FROM board_changes').all()).results

const end = async (job: Job) => {
  const isEvaluation = job.spec.kind === 'evaluate'
  const metrics = metricsOf({ ua: (job.spec.seed * 7) % 11, ra: 99, ta: 90, mia: 12 })
  await read(await finish(job, isEvaluation ? { metrics, seconds: { setUp: 1, evaluate: 2 } } : {}))
}

const stagesDone = ({ references, rows }: Pick<Board, 'references' | 'rows'>) =>
  [...references, ...rows].flatMap(({ runs }) => runs).reduce((sum, { stages }) => sum + stages.done, 0)

test('views while results come in show all that was in when they began, and leave what a board computed anew shows', {
  timeout: 120_000,
}, async () => {
  const [submitter, runner] = [await tokenFor('submitter'), await tokenFor('runner')]
  const { id } = await submit(submitter, { seeds: [0, 1, 2] })
  let open = true
  const look = async () => {
    let least = 0
    while (open) {
      const begun = least
      const done = stagesDone(await board())
      expect(done).toBeGreaterThanOrEqual(begun)
      least = Math.max(least, done)
    }
  }
  const work = async () => {
    for (let job = await lease(runner); job; job = await lease(runner)) {
      await end(job)
      // Nobody who looks from now on may miss it.
      const seen = await Promise.all([board(), board(), board()])
      const { runs } = await read<Submission>(await ask(`/api/v1/submissions/${id}`))
      for (const { rows } of seen) expect(rows[0]!.runs).toEqual(runs)
    }
    await submit(submitter, { seeds: [0, 1], params: { epochs: 3 } })
    for (let job = await lease(runner); job; job = await lease(runner)) await end(job)
    open = false
  }
  await Promise.all([work(), look(), look()])
  const kept = await board()
  expect(kept.rows.map(({ runs }) => runs.map(({ state }) => state))).toEqual([
    ['done', 'done', 'done'],
    ['done', 'done'],
  ])
  expect(await changes()).toEqual([])
  expect(await anew()).toEqual(kept)
})

test('many first views at once agree, and one of them is kept', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0] })
  await workOff(await tokenFor('runner'))
  const seen = await Promise.all(Array.from({ length: 12 }, () => board()))
  expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1)
  const { results } = await bindings.DB.prepare('SELECT DISTINCT version FROM boards WHERE slug = ?').bind(SLUG).all()
  expect(results).toHaveLength(1)
})

/** What shows boards, alone or beside each other. */
const VIEWS = ['/', `/suites/${SUITE}`, `/boards/${SLUG}`, '/methods/ft', `/api/v1/suites/${SUITE}/board`, API]

test('views of many boards at once, none of which is kept, all show what is in', { timeout: 120_000 }, async () => {
  await submit(await tokenFor('submitter'), { benchmark: SUITE, seeds: [0] })
  for (const view of ['/', '/methods/ft', `/suites/${SUITE}`]) {
    await bindings.DB.prepare('DELETE FROM boards').run()
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(view)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const pages = await Promise.all(answers.map((answer) => answer.text()))
    expect(new Set(pages.map((page) => page.replaceAll(/<time.*?<\/time>/g, ''))).size).toBe(1)
  }
})

test('views of all kinds at once, while runs end and releases change, are all shown', {
  timeout: 120_000,
}, async () => {
  const [submitter, runner] = [await tokenFor('submitter'), await tokenFor('runner')]
  await submit(submitter, { benchmark: SUITE, seeds: [0] })
  await submit(submitter, { seeds: [0, 1] })
  let open = true
  const releases = ['this', 'the-next'].map((id) => ({ id, tag: '', timestamp: '' }))
  const look = async (view: string) => {
    for (let times = 0; open || times === 0; times++) {
      const RELEASE = releases[times % 8 === 7 ? 1 : 0]!
      const answer = await app.request(view, {}, { ...bindings, RELEASE })
      expect(answer.status, `${view}: ${await answer.text()}`).toBe(200)
    }
  }
  const work = async () => {
    for (let job = await lease(runner), ends = 0; job && ends < 12; job = await lease(runner), ends++) await end(job)
    open = false
  }
  await Promise.all([work(), ...VIEWS.flatMap((view) => [look(view), look(view)])])
  const kept = await board()
  expect(await anew()).toEqual(kept)
})

test("a suite's board follows each of its classes", { timeout: 120_000 }, async () => {
  const [submitter, runner] = [await tokenFor('submitter'), await tokenFor('runner')]
  await submit(submitter, { benchmark: `${SUITE.replace('class-wise', 'class-3')}`, seeds: [0] })
  const path = `/api/v1/suites/${SUITE}/board`
  expect((await board<SuiteBoard>(path)).rows).toMatchObject([{ averaged: [], avgGap: null }])
  await workOff(runner)
  const kept = await board<SuiteBoard>(path)
  expect(kept.rows[0]!.averaged).toEqual([SUITE.replace('class-wise', 'class-3')])
  expect(await anew<SuiteBoard>(path)).toEqual(kept)
})

test('a cancelled run, and a stage that is asked for again, change the board', async () => {
  const submitter = await tokenFor('submitter')
  const { id } = await submit(submitter, { seeds: [0] })
  expect((await board()).rows[0]!.runs).toMatchObject([{ state: 'queued' }])
  await read(await ask(`/api/v1/submissions/${id}/cancel`, { token: submitter, method: 'POST' }))
  expect((await board()).rows[0]!.runs).toMatchObject([{ state: 'cancelled' }])
  await submit(submitter, { seeds: [0] })
  expect((await board()).rows[0]).toMatchObject({ runs: [{ state: 'queued' }], submissions: [id, expect.any(String)] })
})

test('a private submission adds no row, and is counted beside what its author published of the method', async () => {
  const [ada, bob] = [await tokenFor('submitter', 'ada'), await tokenFor('submitter', 'bob')]
  const hidden = { seeds: [0], visibility: 'private' }
  await submit(ada, { ...hidden, params: { epochs: 3 } })
  expect((await board()).rows).toEqual([])
  await submit(ada, { seeds: [0] })
  const trials = async () => (await board()).rows.map(({ privateTrials }) => privateTrials)
  expect(await trials()).toEqual([1])
  await submit(ada, { ...hidden, params: { epochs: 4 } })
  // Another method, and another author.
  await submit(ada, { ...hidden, method: 'ga' })
  await submit(bob, hidden)
  expect(await trials()).toEqual([2])
  expect(await board()).toEqual(await anew())
})

test('what another release computed is computed anew', async () => {
  await submit(await tokenFor('submitter'), { seeds: [0] })
  await workOff(await tokenFor('runner'))
  const right = await board()
  await bindings.DB.prepare(`UPDATE boards SET json = '[]' WHERE part IN ('board', 'ground')`).run()
  const RELEASE = { id: 'the-next', tag: '', timestamp: '' }
  const { generatedAt, ...seen } = await read<Board>(await app.request(API, {}, { ...bindings, RELEASE }))
  expect(seen).toEqual(right)
})
