/** The source of a method as one hash: its file, and what that imports of the folder of methods. A method that was edited then comes
 *  to new numbers on this machine at once; its `version` is what tells everyone else. */
import { dirname, join, relative } from 'node:path'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { readIfPresent } from '../store/read.ts'

const METHODS = join(import.meta.dirname, '../science/methods')

/** Null where there is no such file. */
export async function methodSource(id: string, folder: string = METHODS): Promise<string | null> {
  const files = new Map<string, string>()
  await gather(join(folder, `${id}.ts`), folder, files)
  if (files.size === 0) return null
  const named = [...files].map(([path, hash]) => [relative(folder, path), hash])
  return await sha256Hex(canonicalJson(Object.fromEntries(named)))
}

async function gather(path: string, folder: string, files: Map<string, string>): Promise<void> {
  if (files.has(path)) return
  const bytes = await readIfPresent(path)
  if (!bytes) return
  const text = new TextDecoder().decode(bytes)
  files.set(path, await sha256Hex(text))
  for (const [, target] of text.matchAll(/from '(\.[^']+)'/g)) {
    const imported = join(dirname(path), target!)
    // What lies outside is the engine's, and has the task's engine version.
    if (!relative(folder, imported).startsWith('..')) await gather(imported, folder, files)
  }
}
