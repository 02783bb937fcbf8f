/** What a server holds while it is fuzzed: runs that are done, under way, waiting and cancelled, someone's webhook with deliveries, a
 *  second runner and tokens that may go, and credentials of each role. */
import type { Submission } from '../../schema/api/submission.ts'
import { fakeRunner } from '../support/fake-runner.ts'
import { inventions } from '../support/inventions.ts'
import type { Served } from '../support/served.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const SUITE = 'fashion-mnist-5k.small-cnn.class-wise'

export interface World {
  tokens: Record<'submitter' | 'organiser' | 'admin' | 'runner' | 'job', string>
  /** By the dictionaries of schemathesis.toml. */
  existing: Record<string, string[]>
}

export async function exampleWorld(server: Pick<Served, 'url' | 'adminToken'>): Promise<World> {
  const { post, tokenFor, submit, lease, upload, workOff } = fakeRunner(server)
  const create = async (path: string, token: string, body: unknown) =>
    (await post<{ id: string }>(`/api/v1/${path}`, token, body)).id
  const admin = server.adminToken
  const submitter = await tokenFor('submitter', 'ada')
  const organiser = await tokenFor('organiser', 'olga')
  const runner = await tokenFor('runner', 'lab')
  await tokenFor('runner', 'other')
  const webhook = await create('webhooks', submitter, { url: 'https://example.org/hook' })
  const done = await submit(submitter, { benchmark: SLUG, method: 'salun', seeds: [0] })
  await workOff(runner, inventions)
  const cancelled = await submit(submitter, { benchmark: SLUG, method: 'ga', seeds: [0] })
  await post<Submission>(`/api/v1/submissions/${cancelled.id}/cancel`, submitter, {})
  const waiting = await submit(submitter, { benchmark: SLUG, method: 'ft', seeds: [0, 1, 2] })
  const hidden = await submit(submitter, { benchmark: SUITE, method: 'ft', seeds: [0], visibility: 'private' })
  const held = (await lease(runner))!
  const { sha256 } = await upload(held, 'weights that nobody will look at')
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${server.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${admin}` } })
    return (await answer.json()) as T
  }
  const { runners } = await get<{ runners: { id: string; name: string }[] }>('runners')
  const submissions = [done, cancelled, waiting, hidden]
  return {
    tokens: { submitter, organiser, admin, runner, job: held.lease.token },
    existing: {
      keys: [held.key],
      hashes: [sha256],
      slugs: [SLUG, `${SUITE.replace('class-wise', 'class-3')}`],
      suites: [SUITE],
      methods: ['ft', 'salun'],
      runs: submissions.map(({ runs }) => runs[0]!.id),
      submissions: submissions.map(({ id }) => id),
      webhooks: [webhook],
      runners: runners.filter(({ name }) => name === 'other').map(({ id }) => id),
      tokens: [await create('tokens', admin, { role: 'submitter', name: 'eve' })],
    },
  }
}
