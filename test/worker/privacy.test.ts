/** A private submission does not exist for anyone but its author and admins. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Run } from '../../schema/api/run.ts'
import type { Submission } from '../../schema/api/submission.ts'
import { ADMIN, ask, finish, lease, read, SLUG, say, submit, tokenFor, useFreshDatabase, workOff } from './support.ts'

useFreshDatabase()

const secretLabel = 'not-for-others'
let world: { ada: string; bob: string; runner: string; hidden: Submission }

beforeEach(async () => {
  const [ada, bob, runner] = [
    await tokenFor('submitter', 'ada'),
    await tokenFor('submitter', 'bob'),
    await tokenFor('runner'),
  ]
  const hidden = await submit(ada, { seeds: [0], visibility: 'private', label: secretLabel })
  world = { ada, bob, runner, hidden }
})

const others = () => [undefined, world.bob, world.runner]
const readers = () => [world.ada, ADMIN]

const addressesOf = async () => {
  const run = await read<Run>(await ask(`/api/v1/runs/${world.hidden.runs[0]!.id}`, { token: world.ada }))
  return [
    `/api/v1/submissions/${world.hidden.id}`,
    `/api/v1/runs/${run.id}`,
    `/submissions/${world.hidden.id}`,
    `/runs/${run.id}`,
    `/runs/${run.id}/log/1`,
    ...run.stages.map(({ key }) => `/api/v1/jobs/${key}/log`),
  ]
}

test('its author and admins read it, everybody else gets the 404 of what does not exist', async () => {
  for (const path of await addressesOf()) {
    for (const token of readers()) expect([path, (await ask(path, { token })).status]).toEqual([path, 200])
    for (const token of others()) expect([path, (await ask(path, { token })).status]).toEqual([path, 404])
  }
  const live = await ask(`/api/v1/runs/${world.hidden.runs[0]!.id}/live`, {
    token: world.bob,
    headers: { upgrade: 'websocket' },
  })
  expect(live.status).toBe(404)
})

test('a refusal does not tell a private submission from none', async () => {
  const refusal = async (id: string) => {
    const { error } = await read<{ error: { code: string; message: string } }>(
      await ask(`/api/v1/submissions/${id}`),
      404,
    )
    return `${error.code}: ${error.message}`.replace(id, 'ID')
  }
  expect(await refusal(world.hidden.id)).toBe(await refusal('nothing'))
})

test('another submitter can neither cancel it nor learn that it exists', async () => {
  const path = `/api/v1/submissions/${world.hidden.id}/cancel`
  expect((await ask(path, { token: world.bob, method: 'POST' })).status).toBe(404)
  expect((await ask(path, { token: world.ada, method: 'POST' })).status).toBe(200)
})

test('lists show it to its readers only, and the reference that it brought along to everybody', async () => {
  for (const [path, count] of [
    ['/api/v1/submissions', 2],
    ['/api/v1/runs', 2],
  ] as const) {
    for (const token of readers()) {
      const found = await read<Record<string, unknown[]>>(await ask(path, { token }))
      expect(Object.values(found)[0]).toHaveLength(count)
    }
    for (const token of others()) {
      const found = await read<Record<string, unknown[]>>(await ask(path, { token }))
      expect(Object.values(found)[0]).toMatchObject([{ method: 'retrain', author: 'palimpsest' }])
    }
  }
})

describe('with results', () => {
  beforeEach(() => workOff(world.runner))

  test('no board, export or page shows it, not even to its author', async () => {
    const pages = [
      '/',
      `/boards/${SLUG}`,
      '/methods/ft',
      '/queue',
      `/api/v1/benchmarks/${SLUG}/board`,
      `/api/v1/benchmarks/${SLUG}/board.csv`,
    ]
    for (const path of pages) {
      for (const token of [...others(), world.ada]) {
        const text = await (await ask(path, { token })).text()
        for (const secret of [secretLabel, world.hidden.id, world.hidden.runs[0]!.id, 'ada']) {
          expect([path, text.includes(secret)]).toEqual([path, false])
        }
      }
    }
  })

  test('a public submission of the same shares its reference, and no stage is computed again', async () => {
    const open = await submit(world.bob, { seeds: [0] })
    expect(await lease(world.runner)).toBeNull()
    const { submissions } = await read<{ submissions: Submission[] }>(await ask('/api/v1/submissions'))
    expect(submissions.map(({ method, author, runs }) => [method, author, runs[0]!.state])).toEqual([
      ['ft', 'bob', 'done'],
      ['retrain', 'palimpsest', 'done'],
    ])
    // Its stages are public through this run now, the private run is not.
    const run = await read<Run>(await ask(`/api/v1/runs/${open.runs[0]!.id}`))
    expect(run.reference).toBe(submissions[1]!.runs[0]!.id)
    for (const { key } of run.stages) expect((await ask(`/api/v1/jobs/${key}/log`)).status).toBe(200)
    expect((await ask(`/api/v1/runs/${world.hidden.runs[0]!.id}`)).status).toBe(404)
  })

  test('its gaps refer to a reference that everybody can read', async () => {
    const run = await read<Run>(await ask(`/api/v1/runs/${world.hidden.runs[0]!.id}`, { token: world.ada }))
    expect(run.visibility).toBe('private')
    expect(run.avgGap).not.toBeNull()
    expect((await ask(`/api/v1/runs/${run.reference}`, { token: world.ada })).status).toBe(200)
    expect((await ask(`/api/v1/runs/${run.reference}`, { token: world.bob })).status).toBe(200)
  })
})

/** The first stages are those of the reference, which is everybody's. */
const leaseItsOwn = async () => {
  for (;;) {
    const job = (await lease(world.runner))!
    if (job.spec.kind === 'unlearn') return job
    await read(await finish(job, job.spec.kind === 'evaluate' ? { metrics: {} } : {}))
  }
}

test('the queue counts it for everybody and names it to its readers', async () => {
  await leaseItsOwn()
  for (const token of [...readers(), ...others()]) {
    const answer = await ask('/api/v1/queue', { token })
    const text = await answer.clone().text()
    const { counts, running } = await read<{ counts: Record<string, number>; running: unknown[] }>(answer)
    expect(counts.running).toBe(1)
    const mayRead = readers().includes(token as string)
    expect(running).toHaveLength(mayRead ? 1 : 0)
    expect([token, text.includes('ada')]).toEqual([token, mayRead])
    expect((await (await ask('/queue', { token })).text()).includes('by ada')).toBe(mayRead)
  }
})

test('what its log says is read by its readers only', async () => {
  const job = await leaseItsOwn()
  await read(await say(job, 'a line\n'))
  const path = `/api/v1/jobs/${job.key}/log`
  for (const token of readers()) expect(await (await ask(path, { token })).text()).toBe('a line\n')
  for (const token of others()) expect((await ask(path, { token })).status).toBe(404)
})

test('a token that is no longer good is refused, not taken for nobody', async () => {
  expect((await ask(`/api/v1/submissions/${world.hidden.id}`, { token: 'pal_submitter_00' })).status).toBe(401)
})
