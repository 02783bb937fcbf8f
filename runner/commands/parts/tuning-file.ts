/** What `palimpsest sweep --out` wrote, as a submission quotes it. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Tuning, tuning } from '../../../schema/api/submission.ts'
import { reasonOf } from '../../store/write.ts'
import { jsonOrNull } from '../../words/json.ts'
import { UsageError } from '../../words/usage.ts'

/** What it says that tuning a method cost. */
export async function tuningFrom(file: string, method: string): Promise<Tuning> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`--tuning ${file}: expected what \`palimpsest sweep --out\` wrote: ${reasonOf(error)}`)
  })
  const found = z.object({ tuning: z.record(z.string(), tuning) }).safeParse(jsonOrNull(text)).data?.tuning[method]
  if (found) return found
  throw new UsageError(
    `--tuning ${file}: expected what \`palimpsest sweep --out\` wrote, with "${method}" under "tuning"`,
  )
}
