/** The Worker's entry, as wrangler.toml names it. */
import { app } from './app.ts'
import { databaseOf } from './bindings/database.ts'
import type { Bindings } from './bindings/env.ts'
import { applyRetention } from './queries/artifacts/retention.ts'

export { Courier } from './durable/courier.ts'
export { Dispatcher } from './durable/dispatcher.ts'
export { Live } from './durable/live.ts'

export default {
  fetch: app.fetch,
  async scheduled({ scheduledTime: now }, { DB, STORE: store }) {
    const { totals, more } = await applyRetention({ db: databaseOf(DB), store, now, dryRun: false })
    console.log('retention', JSON.stringify({ totals, more }))
  },
} satisfies ExportedHandler<Bindings>
