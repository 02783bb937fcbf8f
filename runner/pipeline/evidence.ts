/** Evidence as it lies in a store. */
import type { Beside } from '../science/pair.ts'
import { EVIDENCE, type ScienceTask } from '../science/task.ts'
import type { Store } from '../store/store.ts'

/** Of the artifacts of an evaluate stage. Throws StoreError where a file is missing or damaged, and what the task throws at files that
 *  are no evidence. */
export async function readEvidence(
  science: ScienceTask,
  artifacts: Readonly<Record<string, { sha256: string }>>,
  store: Store,
): Promise<unknown> {
  const files = new Map<string, Uint8Array>()
  for (const name of science.files) {
    const ref = artifacts[name]
    if (ref) files.set(name, await store.get(ref.sha256))
  }
  return science.decode(files)
}

/** That of retrain, by the hash of its file; what evidence lies beside, such as features of real images, both share. Undefined where no
 *  hash is given. */
export async function readRetrain(
  science: ScienceTask,
  artifacts: Readonly<Record<string, { sha256: string }>>,
  { store, retrain }: { store: Store; retrain: string | undefined },
): Promise<Beside | undefined> {
  if (retrain === undefined) return undefined
  const evidence = await readEvidence(science, { ...artifacts, [EVIDENCE]: { sha256: retrain } }, store)
  return { evidence, sha256: retrain }
}
