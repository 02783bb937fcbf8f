/** How far two results of one stage are apart. Other machines round otherwise, so the bytes may differ where both are right. */

import { eq } from 'drizzle-orm'
import { SAMPLES } from '../../../runner/science/tasks/generation/evidence/asked.ts'
import { WEIGHTS } from '../../../runner/science/weights.ts'
import type { ArtifactRef } from '../../../schema/result.ts'
import type { StageSpec } from '../../../schema/stage.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { metricNamed } from '../../http/catalogue.ts'
import { artifactOf } from '../artifacts/artifacts.ts'
import { type Known, newestScores } from '../scores/add-scores.ts'

export interface Comparison {
  agrees: boolean
  /** For people. */
  detail: string
}

/** Of a percentage, in points; evaluating the same weights moves an example over a border now and then. */
const MOST_POINTS = 1
/** Of any other value, as a share of it. */
const MOST_SHARE = 0.01
/** Of samples: mean distance of pixels, of 255. */
const MOST_PIXEL = 4
/** Of weights: their distance as a share of how far unlearning moved them. With one thread and with two it is 0.06 for SalUn and 0.7
 *  for five epochs of fine-tuning at a rate of 0.1, by which differences in rounding have grown; weights that went another way are
 *  √2 apart, if as far from where they began. */
const MOST_MOVE = 1

type Keys = [first: string, second: string]

/** Of the stage of that spec, by the keys of its two jobs, both done. */
export async function compared(db: Database, store: R2Bucket, spec: StageSpec, keys: Keys): Promise<Comparison> {
  if (spec.kind === 'evaluate') return scoresApart(db, spec.task, keys)
  const name = spec.kind === 'sample' ? SAMPLES : WEIGHTS
  const [a, b] = await Promise.all(keys.map(async (key) => (await artifactsOf(db, key))[name]))
  if (!a || !b) return { agrees: false, detail: `only one of the results has ${name}` }
  if (a.sha256 === b.sha256) return { agrees: true, detail: `${name}: the same bytes` }
  const files = await Promise.all([a, b].map((ref) => fileOf(db, store, ref)))
  if (spec.kind === 'sample') {
    const pixel = await distanceOf(files as [File, File], 'bytes')
    return within(pixel.sum / Math.max(1, pixel.count), MOST_PIXEL, `${name}: mean distance of pixels, of 255`)
  }
  const original = (await artifactsOf(db, spec.inputs.original ?? ''))[WEIGHTS]
  if (!original) return { agrees: false, detail: 'the weights that both began from are gone' }
  const began = await fileOf(db, store, original)
  const [apart, moved] = [
    await distanceOf(files as [File, File], 'floats'),
    await distanceOf([files[0]!, began], 'floats'),
  ]
  const ratio = Math.sqrt(apart.sum) / Math.max(Number.MIN_VALUE, Math.sqrt(moved.sum))
  return within(ratio, MOST_MOVE, `${name}: distance over how far unlearning moved them`)
}

/** As the server computed them, or as the runner says where that takes too long here. */
async function scoresApart(db: Database, task: string, keys: Keys): Promise<Comparison> {
  const scores = await newestScores(db, keys)
  const of = (key: string): ReadonlyMap<string, Known> => scores.get(key) ?? new Map()
  const [first, second] = [of(keys[0]), of(keys[1])]
  const found = [...first].map(([identity, { value }]) => {
    const other = second.get(identity)?.value
    if (other === undefined) return { agrees: false, detail: `${identity}: only one of the results has it` }
    const [id, metric] = metricNamed(task, identity.split(';')[0]!) ?? []
    const apart = Math.abs(value - other)
    return metric?.unit === '%'
      ? within(apart, MOST_POINTS, `${id}: points apart`)
      : within(apart / Math.max(1e-12, Math.abs(value)), MOST_SHARE, `${id ?? identity}: apart, as a share`)
  })
  const worst = found.find(({ agrees }) => !agrees)
  return worst ?? { agrees: true, detail: found.map(({ detail }) => detail).join('; ') || 'neither has metrics' }
}

const within = (value: number, most: number, what: string): Comparison => ({
  agrees: value <= most,
  detail: `${what} ${Number(value.toPrecision(3))}, of at most ${most}`,
})

async function artifactsOf(db: Database, key: string): Promise<Record<string, ArtifactRef>> {
  const row = await db.select({ result: jobs.result }).from(jobs).where(eq(jobs.key, key)).get()
  return row?.result?.artifacts ?? {}
}

/** A safetensors file, read piece by piece: its tensors lie one after the other behind a header. */
interface File {
  header: string
  bytes: number
  read(offset: number, length: number): Promise<ArrayBuffer>
}

const PIECE = 4 * 2 ** 20

async function fileOf(db: Database, store: R2Bucket, { sha256, bytes }: ArtifactRef): Promise<File> {
  const artifact = await artifactOf(db, sha256)
  const read = async (offset: number, length: number) => {
    const object = artifact && (await store.get(artifact.path, { range: { offset, length } }))
    if (!object) throw new Error(`the artifact ${sha256} is missing`)
    return object.arrayBuffer()
  }
  const head = Number(new DataView(await read(0, 8)).getBigUint64(0, true))
  return { header: new TextDecoder().decode(await read(8, head)), bytes, read }
}

/** Sums over all entries: of |a - b| for bytes, of (a - b)² for floats. Infinite where the files hold other tensors. */
async function distanceOf([a, b]: [File, File], of: 'bytes' | 'floats'): Promise<{ sum: number; count: number }> {
  if (a.header !== b.header || a.bytes !== b.bytes) return { sum: Number.POSITIVE_INFINITY, count: 1 }
  let [sum, count] = [0, 0]
  const start = 8 + new TextEncoder().encode(a.header).length
  for (let at = start; at < a.bytes; at += PIECE) {
    const length = Math.min(PIECE, a.bytes - at)
    const pieces = await Promise.all([a.read(at, length), b.read(at, length)])
    const [left, right] = pieces.map((piece) =>
      of === 'floats' ? new Float32Array(piece) : new Uint8Array(piece),
    ) as [Float32Array, Float32Array]
    for (let i = 0; i < left.length; i++) {
      const apart = left[i]! - right[i]!
      sum += of === 'floats' ? apart * apart : Math.abs(apart)
    }
    count += left.length
  }
  return { sum, count }
}
