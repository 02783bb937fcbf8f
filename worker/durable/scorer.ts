/** Computes values of two models after evaluations have ended, portion by portion, by alarm. One instance, named "all", which
 *  scorer-client.ts speaks to. */
import { DurableObject } from 'cloudflare:workers'
import { databaseOf } from '../bindings/database.ts'
import type { Bindings } from '../bindings/env.ts'
import { scorePairs } from '../queries/scores/score-pairs.ts'
import { publish } from './live-client.ts'

/** How far an evaluation is, by its key. */
interface Due {
  /** Told when the evaluation ended once more meanwhile. */
  id: string
  after: string
}

export class Scorer extends DurableObject<Bindings> {
  /** An evaluation has ended. */
  async take(key: string): Promise<void> {
    await this.ctx.storage.put<Due>(key, { id: crypto.randomUUID(), after: '' })
    await this.ctx.storage.setAlarm(Date.now())
  }

  /** One portion. An error is tried again by the platform. */
  override async alarm(): Promise<void> {
    const [first] = await this.ctx.storage.list<Due>({ limit: 1 })
    if (!first) return
    const [key, due] = first
    const context = { db: databaseOf(this.env.DB), store: this.env.STORE, now: Date.now() }
    const { changed, next } = await scorePairs(key, due.after, context)
    const isSame = (await this.ctx.storage.get<Due>(key))?.id === due.id
    if (isSame && next === null) await this.ctx.storage.delete(key)
    else if (isSame) await this.ctx.storage.put<Due>(key, { ...due, after: next! })
    const [left] = await this.ctx.storage.list({ limit: 1 })
    if (left) await this.ctx.storage.setAlarm(Date.now())
    await Promise.all(changed.map((each) => publish(this.env, each, { changed: true })))
  }
}
