/** Masks as artifacts, so that what a run says of them can be counted. */
import type { ArtifactRef } from '../../schema/result.ts'
import { encodeMask } from '../formats/mask.ts'
import { type Mask, maskOf } from '../science/mask.ts'
import type { Parameter } from '../science/weights.ts'
import type { Store } from '../store/store.ts'

/** Those that a method handed to its optimizers, by file name: `mask.safetensors`, and `mask.2.safetensors` where a second one is
 *  another. */
export async function saveMasks(
  store: Store,
  parameters: readonly Parameter[],
  masks: readonly Mask[],
): Promise<Record<string, ArtifactRef>> {
  const saved = new Map<string, ArtifactRef>()
  for (const mask of masks) {
    const entries = parameters.map(({ name, shape }) => ({ name, shape, entries: maskOf(mask, name) }))
    const ref = await store.put(encodeMask(entries))
    saved.set(ref.sha256, ref)
  }
  return Object.fromEntries([...saved.values()].map((ref, i) => [`mask${i > 0 ? `.${i + 1}` : ''}.safetensors`, ref]))
}
