/** The Worker's entry, as wrangler.toml names it. */
import { app } from './app.ts'

export { Courier } from './durable/courier.ts'
export { Dispatcher } from './durable/dispatcher.ts'
export { Live } from './durable/live.ts'
export default app
