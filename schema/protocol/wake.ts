/** A socket that an idle runner holds, so that it hears of work at once. It never gives work away: a woken runner leases as
 *  always, and who has no socket asks again after `retryAfterMs`. */
import { z } from 'zod'

export const path = '/api/v1/runners/wake'

/** What the server says, as JSON. A runner says `ping` only, which is answered with `pong`. */
export const message = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('welcome'),
    /** Ask for a job this often all the same. */
    askEveryMs: z.int(),
    pingEveryMs: z.int(),
  }),
  /** There is work: ask for it now. */
  z.strictObject({ kind: z.literal('wake') }),
])
export type WakeMessage = z.infer<typeof message>
