/** Keeps the time of leases: one alarm, at the earliest end of any lease that it knows of. */
import { DurableObject } from 'cloudflare:workers'
import { wakeCourier } from '../courier.ts'
import { databaseOf } from '../database.ts'
import type { Bindings } from '../env.ts'
import { publish } from '../live.tsx'
import { endExpiredLeases, nextExpiry } from '../queries/expire.ts'

export class Dispatcher extends DurableObject<Bindings> {
  /** A lease ends at this time, unless it is renewed. */
  async leaseEnds(at: number): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null || at < alarm) await this.ctx.storage.setAlarm(at)
  }

  /** Returns the jobs whose leases ran out. An error is tried again by the platform. */
  override async alarm(): Promise<void> {
    const db = databaseOf(this.env.DB)
    const ended = await endExpiredLeases(db, Date.now())
    await Promise.all(ended.map(({ key }) => publish(this.env, key, { changed: true })))
    if (ended.some(({ state }) => state === 'failed')) await wakeCourier(this.env)
    const next = await nextExpiry(db)
    if (next !== null) await this.leaseEnds(next)
  }
}
