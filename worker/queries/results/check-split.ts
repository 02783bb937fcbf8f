/** Whether a stored file can have the positions of D_f and D_r that its stage asks for: every one once, in order, and of a list that very
 *  list. Which images a seed draws is not known here. */
import { readSafetensors, type Tensor } from '../../../runner/formats/safetensors.ts'
import { indexListHash } from '../../../schema/parts/index-list.ts'
import type { StageOf } from '../../../schema/stage.ts'
import { MOST_BYTES } from '../scores/evidence.ts'

/** Throws SafetensorsError for what is none; else tells what is wrong, or null. */
export async function splitProblem(
  store: R2Bucket,
  { path, bytes }: { path: string; bytes: number },
  { stage: { request }, images }: { stage: StageOf<'evaluate'>; images: number | null },
): Promise<string | null> {
  if (bytes > MOST_BYTES) return `expected at most ${MOST_BYTES} bytes, got ${bytes}`
  const object = await store.get(path)
  if (!object) throw new Error(`the object ${path} is missing in storage`)
  const { tensors } = readSafetensors(new Uint8Array(await object.arrayBuffer()))
  const [forget, retain] = [tensors.get('forget'), tensors.get('retain')]
  const [first, second] = [orderProblem('forget', forget), orderProblem('retain', retain)]
  if (first !== null || second !== null) return first ?? second
  const [own, others] = [forget!.data as Int32Array, retain!.data as Int32Array]
  const last = Math.max(own.at(-1) ?? 0, others.at(-1) ?? 0)
  if (images !== null && last >= images) return `expected positions below ${images}, got ${last}`
  const kept = new Set(others)
  const both = own.find((position) => kept.has(position))
  if (both !== undefined) return `expected no position in both forget and retain, got ${both}`
  if (request.kind !== 'items') return null
  const hash = await indexListHash(own)
  return hash === request.sha256 ? null : `expected the list ${request.sha256} as forget, got ${hash}`
}

function orderProblem(name: string, tensor: Tensor | undefined): string | null {
  if (tensor?.dtype !== 'I32' || tensor.shape.length !== 1)
    return `expected ${name} as I32 [n], got ${tensor?.dtype ?? 'none'}`
  const { data } = tensor
  const strange = data.findIndex((position, i) => position < 0 || (i > 0 && position <= data[i - 1]!))
  return strange < 0 ? null : `expected ascending positions in ${name}, got ${data[strange]} (entry ${strange})`
}
