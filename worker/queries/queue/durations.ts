/** How long stages took, by likeness: what estimates are drawn from. */
import type { Database } from '../../bindings/database.ts'

/** The newest so many of each likeness. */
const SAMPLES = 50

/** Seconds from lease to end of the newest finished stages of each likeness. Reads at most that many rows of each. */
export async function durationsOf({ $client: d1 }: Database, likenesses: string[]): Promise<Map<string, number[]>> {
  const { results } = await d1
    .prepare(
      `SELECT likeness.value AS likeness, (
        SELECT json_group_array(ms) FROM (
          SELECT finished_at - started_at AS ms FROM jobs
          WHERE jobs.likeness = likeness.value AND state = 'done' ORDER BY finished_at DESC LIMIT ${SAMPLES})) AS ms
      FROM json_each(?) AS likeness`,
    )
    .bind(JSON.stringify(likenesses))
    .all<{ likeness: string; ms: string }>()
  return new Map(results.map(({ likeness, ms }) => [likeness, (JSON.parse(ms) as number[]).map((one) => one / 1000)]))
}
