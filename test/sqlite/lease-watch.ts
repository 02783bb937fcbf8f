/** What must hold whatever happens, looked at after every single statement. It knows the tables and the protocol's words, and
 *  nothing of how the statements are written. */
import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Lease } from '../../schema/protocol/lease.ts'

interface Job {
  key: string
  state: string
  token_sha256: string | null
  lease_expires_at: number
  deliveries: number
  lost: number
  failed: number
  result: string | null
  reason: string | null
}

interface Delivery {
  job_key: string
  attempt: number
  outcome: string
}

/** How a job was from this step on. */
type Moment = Job & { step: number; outcome: string | undefined }

export interface Judged {
  name: string
  key: string
  /** The one that was sent, then the one that it leads to. */
  tokens: string[]
  result?: number
  /** Before each of its statements. */
  steps: number[]
  now: number
  accepted: boolean
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex')

export class LeaseWatch {
  step = 0
  readonly #jobs: StatementSync
  readonly #deliveries: StatementSync
  readonly #loose: StatementSync
  readonly #mixed: StatementSync
  readonly #greedy: StatementSync
  readonly #suspects: StatementSync
  #moments = new Map<string, Moment[]>()
  #outcomes = new Map<string, string>()
  #attempts = new Map<string, string>()
  #results = new Map<string, number>()
  #broken: unknown = null

  constructor(database: DatabaseSync) {
    this.#jobs = database.prepare('SELECT * FROM jobs')
    this.#deliveries = database.prepare('SELECT job_key, attempt, outcome FROM deliveries')
    this.#loose = database.prepare(
      `SELECT key, state, reason, failed, EXISTS (SELECT 1 FROM run_jobs n JOIN runs r ON r.id = n.run_id
         WHERE n.job_key = key AND r.cancelled_at IS NULL) AS wanted,
       EXISTS (SELECT 1 FROM job_inputs i JOIN jobs input ON input.key = i.input_key
         WHERE i.job_key = jobs.key AND input.state = 'failed') AS blocked FROM jobs`,
    )
    this.#greedy = database.prepare(
      `SELECT runner_id, COUNT(*) AS held FROM deliveries WHERE outcome = 'running' GROUP BY runner_id
       HAVING held > (SELECT stages_at_once FROM runners WHERE id = runner_id)`,
    )
    this.#suspects = database.prepare(
      `SELECT DISTINCT job_key FROM deliveries WHERE outcome = 'failed' AND runner_id IN (
         SELECT id FROM runners WHERE pause_reason IS NOT NULL)`,
    )
    this.#mixed = database.prepare(
      `SELECT job_key, attempt, text FROM log_chunks WHERE text IS NOT NULL AND text NOT LIKE 'attempt ' || attempt || ' %'`,
    )
  }

  reset(): void {
    this.step = 0
    this.#moments = new Map()
    this.#outcomes = new Map()
    this.#attempts = new Map()
    this.#results = new Map()
    this.#broken = null
    this.look()
  }

  broken(error: unknown): void {
    this.#broken ??= error
  }

  check(): void {
    if (this.#broken) throw this.#broken
  }

  /** After a statement. */
  look(): void {
    this.step += 1
    try {
      this.#look()
    } catch (error) {
      this.broken(error)
    }
  }

  #look(): void {
    const deliveries = this.#deliveries.all() as unknown as Delivery[]
    const suspects = new Set(this.#suspects.all().map((row) => row.job_key as string))
    const [greedy] = this.#greedy.all()
    must(!greedy, `a runner holds more than it said it runs at once: ${JSON.stringify(greedy)}`)
    const byJob = Map.groupBy(deliveries, ({ job_key }) => job_key)
    for (const job of this.#jobs.all() as unknown as Job[]) {
      const own = byJob.get(job.key) ?? []
      const of = (outcome: string) => own.filter((delivery) => delivery.outcome === outcome).length
      const moments = this.#moments.get(job.key) ?? []
      const before = moments.at(-1)
      must(job.deliveries === own.length, `${job.key}: deliveries counted ${job.deliveries}, there are ${own.length}`)
      must(job.lost === of('lost'), `${job.key}: lost counted ${job.lost}, there are ${of('lost')}`)
      must(job.failed === of('failed'), `${job.key}: failed counted ${job.failed}, there are ${of('failed')}`)
      must(of('running') === Number(job.state === 'leased'), `${job.key}: ${job.state} with ${of('running')} running`)
      must(of('done') === Number(job.state === 'done'), `${job.key}: ${job.state} with ${of('done')} done`)
      const newest = own.find(({ attempt }) => attempt === job.deliveries)
      must(job.state !== 'leased' || newest?.outcome === 'running', `${job.key}: an older delivery runs`)
      must((job.state === 'done') === (job.result !== null), `${job.key}: ${job.state}, result ${job.result}`)
      if (['failed', 'cancelled'].includes(job.state))
        must(job.reason !== null, `${job.key}: ${job.state} without a reason`)
      if (before) {
        for (const counter of ['deliveries', 'lost', 'failed'] as const) {
          must(job[counter] >= before[counter], `${job.key}: ${counter} went back to ${job[counter]}`)
        }
        must(before.state !== 'done' || job.result === before.result, `${job.key}: its result changed`)
        // What failed by the word of a runner that is no longer believed is tried again.
        const revived = before.state === 'failed' && job.state === 'queued' && suspects.has(job.key)
        must(
          !['done', 'failed', 'cancelled'].includes(before.state) || job.state === before.state || revived,
          `${job.key}: left ${before.state}`,
        )
      }
      moments.push({ ...job, step: this.step, outcome: newest?.outcome })
      this.#moments.set(job.key, moments)
    }
    for (const { job_key, attempt, outcome } of deliveries) {
      const before = this.#outcomes.get(`${job_key} ${attempt}`) ?? 'running'
      must(before === 'running' || before === outcome, `${job_key}, delivery ${attempt}: ${before} became ${outcome}`)
      this.#outcomes.set(`${job_key} ${attempt}`, outcome)
    }
    const [mixed] = this.#mixed.all()
    must(!mixed, `a log holds lines of another delivery: ${JSON.stringify(mixed)}`)
  }

  /** Two leases of one delivery are the same lease. */
  issue(key: string, { attempt, token }: Lease): void {
    const before = this.#attempts.get(`${key} ${attempt}`)
    try {
      must(before === undefined || before === token, `${key}, delivery ${attempt}: leased twice`)
    } catch (error) {
      this.broken(error)
    }
    this.#attempts.set(`${key} ${attempt}`, token)
  }

  /** An accepted write carried the newest token of a lease that lasted, just before one of its
   *  statements, or told again the end that this very token had brought. Two accepted results are one. */
  judge({ name, key, tokens, result, steps, now, accepted }: Judged): void {
    if (!accepted) return
    const hashes = tokens.map(sha256Of)
    const moments = this.#moments.get(key) ?? []
    const during = moments.filter(({ step }) => steps.includes(step))
    const held = during.some(
      ({ state, token_sha256, lease_expires_at }) =>
        state === 'leased' && hashes.includes(token_sha256!) && lease_expires_at > now,
    )
    const told = { finish: ['done'], failed: ['failed'], released: ['released', 'cancelled'] }[name] ?? []
    const again = during.some(({ token_sha256, outcome }) => hashes.includes(token_sha256!) && told.includes(outcome!))
    must(held || again, `${name} of ${key} was accepted for a token that did not hold it`)
    if (result === undefined) return
    must((this.#results.get(key) ?? result) === result, `two results of ${key} were accepted`)
    this.#results.set(key, result)
    const last = moments.at(-1)!
    must(JSON.parse(last.result!).seconds.setUp === result, `${key} has another result than the one that was accepted`)
  }

  /** Every job that somebody wants has ended. */
  settled(): void {
    this.check()
    for (const job of this.#loose.all() as unknown as (Job & { wanted: number; blocked: number })[]) {
      const { key, state, wanted, blocked, failed, reason } = job
      const fair = state !== 'failed' || failed >= 3 || reason === 'configuration'
      must(fair, `${key} failed after ${failed} failures, reason ${reason}`)
      const ended = ['done', 'failed', ...(wanted ? [] : ['cancelled'])].includes(state)
      must(
        ended || (blocked === 1 && state === 'queued'),
        `${key} is lost: ${state}, ${wanted ? 'wanted' : 'unwanted'}`,
      )
    }
  }
}

function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}
