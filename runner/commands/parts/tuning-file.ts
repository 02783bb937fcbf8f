/** What `palimpsest sweep --out` wrote, as a submission quotes it. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Tuning, tuning } from '../../../schema/api/submission.ts'
import { reasonOf } from '../../store/write.ts'
import { jsonOrNull } from '../../words/json.ts'
import { UsageError } from '../../words/usage.ts'

const written = z.object({ rows: z.array(z.object({ method: z.string(), label: z.string(), tuning })) })

/** What it says that tuning a method cost; of several of its settings the one of the label. */
export async function tuningFrom(file: string, { method, label }: { method: string; label: string }): Promise<Tuning> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new UsageError(`--tuning ${file}: expected what \`palimpsest sweep --out\` wrote: ${reasonOf(error)}`)
  })
  const rows = written.safeParse(jsonOrNull(text)).data?.rows.filter((row) => row.method === method) ?? []
  const found = rows.find((row) => row.label === label) ?? rows.find((row) => row.label === '')
  if (found) return found.tuning
  throw new UsageError(
    `--tuning ${file}: expected what \`palimpsest sweep --out\` wrote, with "${method}" among its "rows"`,
  )
}
