/** Keeps the time of leases: one alarm, at the earliest end of any lease that it knows of. Holds the sockets of idle runners, and
 *  wakes as many as there are jobs to begin. */
import { DurableObject } from 'cloudflare:workers'
import { databaseOf } from '../bindings/database.ts'
import { type Bindings, settingsOf } from '../bindings/env.ts'
import { endExpiredLeases, nextExpiry } from '../queries/jobs/expire.ts'
import { readyJobs } from '../queries/jobs/ready-jobs.ts'
import { wakeCourier } from './courier-client.ts'
import { admitIdle, idleSince, wakeRunner, wakeSome } from './idle-runners.ts'
import { publish } from './live-client.ts'

export class Dispatcher extends DurableObject<Bindings> {
  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env)
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** The socket of an idle runner. */
  override async fetch(request: Request): Promise<Response> {
    const runnerId = new URL(request.url).searchParams.get('runner') ?? ''
    return admitIdle(this.ctx, runnerId, settingsOf(this.env).IDLE_POLL_MS, Date.now())
  }

  /** The other end closes: so does this one. */
  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  /** There may be work. */
  async wake(): Promise<void> {
    await this.wakeThose(Date.now())
  }

  /** An admin changed something about a runner. */
  async changed(runnerId: string): Promise<void> {
    wakeRunner(this.ctx, runnerId)
  }

  /** A lease ends at this time, unless it is renewed. */
  async leaseEnds(at: number): Promise<void> {
    await this.alarmAt(at)
  }

  /** Returns the jobs whose leases ran out. An error is tried again by the platform. */
  override async alarm(): Promise<void> {
    const db = databaseOf(this.env.DB)
    const ended = await endExpiredLeases(db, Date.now())
    await Promise.all(ended.map(({ key }) => publish(this.env, key, { changed: true })))
    if (ended.some(({ state }) => state === 'failed')) await wakeCourier(this.env)
    const workAt = ended.some(({ state }) => state === 'queued')
      ? Date.now()
      : await this.ctx.storage.get<number>('workAt')
    if (workAt !== undefined) await this.wakeThose(workAt)
    const next = await nextExpiry(db)
    if (next !== null) await this.alarmAt(next)
  }

  /** Wakes runners that were idle already when the work came; those who come later ask for it by themselves. */
  private async wakeThose(workAt: number): Promise<void> {
    const idle = idleSince(this.ctx, workAt, Date.now())
    const { length: jobs } = idle.length > 0 ? await readyJobs(databaseOf(this.env.DB), idle.length) : []
    wakeSome(idle, jobs)
    const more = jobs > 0 && jobs < idle.length
    if (!more) return void (await this.ctx.storage.delete('workAt'))
    await this.ctx.storage.put('workAt', workAt)
    await this.alarmAt(Date.now() + settingsOf(this.env).WAKE_MORE_MS)
  }

  private async alarmAt(at: number): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null || at < alarm) await this.ctx.storage.setAlarm(at)
  }
}
