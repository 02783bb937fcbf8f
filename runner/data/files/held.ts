/** What the user's folders hold, for errors that say what was found in the place of a dataset. */
import { readdir } from 'node:fs/promises'

/** Names of a folder that an error tells. */
const TOLD = 8

/** Such as "/data holds a, b and 3 more; /data/cifar10 is not there". */
export async function held(folders: readonly string[]): Promise<string> {
  if (folders.length === 0) return 'no folder is named by --data'
  const told = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder).catch(() => null)
      if (!names) return `${folder} is not there`
      if (names.length === 0) return `${folder} is empty`
      const more = names.length - TOLD
      return `${folder} holds ${names.sort().slice(0, TOLD).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    }),
  )
  return told.join('; ')
}
