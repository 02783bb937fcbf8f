/** Job tokens follow from secrets of both sides. */
import { sha256Hex } from '../../schema/parts/hash.ts'

/** A token that follows from secrets which only its holder has, so that the same request gives the same token. */
export const tokenFrom = async (...secrets: string[]): Promise<string> =>
  `pal_job_${(await sha256Hex(secrets.join('.'))).slice(0, 32)}`
