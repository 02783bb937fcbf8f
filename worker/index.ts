/** The Worker's entry, as wrangler.toml names it. */
import { app } from './app.ts'
import { databaseOf } from './bindings/database.ts'
import type { Bindings } from './bindings/env.ts'
import { applyRetention } from './queries/artifacts/retention.ts'

export { Courier } from './durable/courier.ts'
export { Dispatcher } from './durable/dispatcher.ts'
export { Live } from './durable/live.ts'
export { Scorer } from './durable/scorer.ts'

export default {
  fetch: app.fetch,
  async scheduled(_event, { DB, STORE: store }) {
    // Not the event's time: whoever can send events to a local worker would choose what is old.
    const now = Date.now()
    const { totals, more } = await applyRetention({ db: databaseOf(DB), store, now, dryRun: false })
    console.log('retention', JSON.stringify({ totals, more }))
  },
} satisfies ExportedHandler<Bindings>
