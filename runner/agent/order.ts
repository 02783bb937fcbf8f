/** Orders: what the server wants done, believed only with its signature. */

import type { z } from 'zod'
import { type Job, order, type response } from '../../schema/protocol/lease.ts'
import { SignatureError, verify } from '../../schema/signature.ts'
import { stageKeyOf } from '../../schema/stage.ts'
import type { Client } from './client.ts'
import type { Identity } from './identity.ts'

type Leased = Extract<z.infer<typeof response>, { kind: 'job' }>

/** Throws SignatureError, with the job given back, when the order is not one that the pinned server signed for this runner:
 *  whoever sent it is not the server that this machine enrolled with, so nothing of it is run. */
export async function openOrder(
  { key, order: signed, lease }: Leased,
  { client, identity }: { client: Client; identity: Identity },
): Promise<Job> {
  try {
    const opened = await verify('job', order, signed, identity.serverPublicKey)
    if (opened.runner !== identity.id) throw new SignatureError(`the job was signed for the runner ${opened.runner}`)
    if (opened.key !== key) throw new SignatureError(`the job was signed for the stage ${opened.key}`)
    if ((await stageKeyOf(opened.spec)) !== key) throw new SignatureError('the spec does not hash to the stage key')
    return { ...opened, lease }
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error
    const message = `the order of job ${key.slice(0, 12)} is refused: ${error.message}`
    const end = { outcome: 'released', reason: 'configuration', message, log: null } as const
    await client.fail(key, lease.token, end, { retryForMs: 3000 }).catch(() => {})
    throw new SignatureError(message)
  }
}
