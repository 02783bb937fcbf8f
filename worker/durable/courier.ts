/** Sends webhooks that are due, by alarm. One instance, named "all", which courier-client.ts speaks to. */
import { DurableObject } from 'cloudflare:workers'
import { databaseOf } from '../bindings/database.ts'
import type { Bindings } from '../bindings/env.ts'
import { sendDue } from '../queries/webhooks/send-webhooks.ts'

export class Courier extends DurableObject<Bindings> {
  /** Something may be due. */
  async wake(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now())
  }

  override async alarm(): Promise<void> {
    const next = await sendDue(databaseOf(this.env.DB), this.env)
    // Who woke it meanwhile has set an alarm that comes before.
    const own = await this.ctx.storage.getAlarm()
    if (next !== null && (own === null || next < own)) await this.ctx.storage.setAlarm(next)
  }
}
