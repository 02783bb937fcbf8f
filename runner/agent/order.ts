/** Orders: what the server wants done, believed only with its signature, and done only where this release understands all of it. */
import { z } from 'zod'
import { engines } from '../../schema/engine.ts'
import { describeIssues } from '../../schema/issues.ts'
import { type Job, order, type response } from '../../schema/protocol/lease.ts'
import { SignatureError, verify } from '../../schema/signature.ts'
import { type StageSpec, stageKeyOf, stageSpec } from '../../schema/stage.ts'
import { asAnswer, type Client } from './client.ts'
import { thisRelease } from './contract.ts'
import type { Identity } from './identity.ts'

type Leased = Extract<z.infer<typeof response>, { kind: 'job' }>

/** This release cannot do what the order says. */
export class OrderError extends Error {
  override name = 'OrderError'
}

/** What is around the stage is read as any answer; the stage itself by `specOf`. */
const envelope = asAnswer(order.extend({ spec: z.unknown() }))

/** Throws, with the job given back, when the order is not one that the pinned server signed for this runner (SignatureError:
 *  whoever sent it is not the server that this machine enrolled with), or says what this release does not know (OrderError):
 *  nothing of it is run. */
export async function openOrder(
  { key, order: signed, lease }: Leased,
  { client, identity }: { client: Client; identity: Identity },
): Promise<Job> {
  try {
    const opened = await verify('job', envelope, signed, identity.serverPublicKey)
    if (opened.runner !== identity.id) throw new SignatureError(`the job was signed for the runner ${opened.runner}`)
    if (opened.key !== key) throw new SignatureError(`the job was signed for the stage ${opened.key}`)
    const spec = specOf(opened.spec)
    if ((await stageKeyOf(spec)) !== key) {
      throw new OrderError(
        `the spec does not hash to the stage key by any engine of ${thisRelease}: ${engines().join(', ')}`,
      )
    }
    return { ...opened, spec, lease }
  } catch (error) {
    if (!(error instanceof SignatureError || error instanceof OrderError)) throw error
    const message = `the order of job ${key.slice(0, 12)} is refused: ${error.message}`
    const end = { outcome: 'released', reason: 'configuration', message, log: null } as const
    await client.fail(key, lease.token, end, { retryForMs: 3000 }).catch(() => {})
    error.message = message
    throw error
  }
}

/** Read strictly: the stage key is a hash over all of it, so a part that is not understood cannot be left out. */
function specOf(spec: unknown): StageSpec {
  const { data, error } = stageSpec.safeParse(spec)
  if (data) return data
  const what = describeIssues(error, spec, ['spec'])
  throw new OrderError(
    `${thisRelease} with ${engines().join(', ')} does not know this stage: ${what}; update this runner to the server's release`,
  )
}
