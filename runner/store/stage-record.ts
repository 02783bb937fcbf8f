/** The file of a stage: its result, and beside it what the stage was, which sources its metrics were computed by, and the values of
 *  metrics that the result held before. */
import { z } from 'zod'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { metricValue, type StageResult, stageResult } from '../../schema/result.ts'
import { type StageSpec, stageSpec } from '../../schema/stage.ts'
import { jsonOrNull } from '../words/json.ts'

/** A value that another one of the same metric took the place of. */
const earlierValue = z.strictObject({ metric: z.string(), ...metricValue.shape, until: z.string() })
export type EarlierValue = z.infer<typeof earlierValue>

export interface StageRecord {
  result: StageResult
  /** Null in a file of an earlier release, and where this one does not know the task. */
  spec: StageSpec | null
  /** Hashes of the sources that values of metrics were computed by, by metric id; a value without one is taken as it is. */
  sources: Record<string, string>
  /** The oldest first; of the same artifacts as the result. */
  earlier: EarlierValue[]
}

/** Null where the text holds no result. What lies beside the result is worth less: it is left out where it can't be read. */
export function recordIn(text: string): StageRecord | null {
  const value = jsonOrNull(text)
  if (typeof value !== 'object' || value === null) return null
  const { spec, sources, earlier, ...rest } = value as Record<string, unknown>
  const result = stageResult.safeParse(rest).data
  if (!result) return null
  return {
    result,
    spec: stageSpec.safeParse(spec).data ?? null,
    sources: z.record(z.string(), z.string()).safeParse(sources).data ?? {},
    earlier: z.array(earlierValue).safeParse(earlier).data ?? [],
  }
}

/** With a new result, which takes along the older values of the same artifacts. */
export function recordAfter(
  before: StageRecord | null,
  result: StageResult,
  { spec, sources }: Partial<Pick<StageRecord, 'spec' | 'sources'>>,
): StageRecord {
  const alike = before && canonicalJson(before.result.artifacts) === canonicalJson(result.artifacts)
  const replaced = Object.entries(alike ? before.result.metrics : {}).filter(([metric, { identity, value }]) => {
    const now = result.metrics[metric]
    return now?.identity !== identity || now.value !== value
  })
  const until = new Date().toISOString()
  const earlier = replaced.map(([metric, value]) => ({ metric, ...value, until }))
  return {
    result,
    spec: spec ?? before?.spec ?? null,
    sources: { ...(alike && before.sources), ...sources },
    earlier: [...(alike ? before.earlier : []), ...earlier],
  }
}

export function recordText({ result, spec, sources, earlier }: StageRecord): string {
  const scored = Object.keys(sources).length > 0
  const beside = { ...(spec && { spec }), ...(scored && { sources }), ...(earlier.length > 0 && { earlier }) }
  return `${JSON.stringify({ ...stageResult.parse(result), ...beside }, null, 2)}\n`
}
