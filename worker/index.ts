/** The Worker's entry, as wrangler.toml names it. */
import { app } from './app.ts'

export { Live } from './durable/live.ts'
export default app
