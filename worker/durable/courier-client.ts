/** Wakes the Courier after messages for webhooks may have been written. */

import type { Bindings } from '../bindings/env.ts'
import type { Courier } from './courier.ts'

/** What is due is in the database: where waking fails, the Courier's own alarm finds it some minutes later. */
export async function wakeCourier({ COURIER }: Pick<Bindings, 'COURIER'>): Promise<void> {
  try {
    await (COURIER as DurableObjectNamespace<Courier>).getByName('all').wake()
  } catch (error) {
    console.error('the courier could not be woken', error)
  }
}
