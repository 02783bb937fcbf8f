/** The home folder: everything that Palimpsest keeps on this machine lies under it. */
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { UsageError } from '../words/usage.ts'
import { codeOf, reasonOf } from './write.ts'

/** `--home`, else PALIMPSEST_HOME, else `.palimpsest` in the current folder. */
export const homeOf = (option: string | undefined): string =>
  option === undefined ? resolve(process.env.PALIMPSEST_HOME || '.palimpsest') : folderOf('--home', option)

/** An empty word would be the current folder, which nobody means by it: a variable of a script was empty. */
function folderOf(option: string, word: string): string {
  if (word.trim() !== '') return resolve(word)
  throw new UsageError(`${option}: expected a folder, got "${word}"; name one, or leave ${option} out`)
}

/** Makes the folder where it is missing. */
export async function openHome(option: string | undefined): Promise<string> {
  const home = homeOf(option)
  try {
    await makeFolder(home)
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = codeOf(error) === 'EEXIST' ? 'it is a file' : reasonOf(error)
    throw new UsageError(
      `the home folder ${home} cannot be used: ${reason}; make it writable, or choose another one with --home DIR`,
    )
  }
  return home
}

/** With its parents. Node's own recursive `mkdir` goes on for ever where a file system says of a folder that is there that it cannot
 *  be written in by ENOENT, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  const make = () => mkdir(path)
  try {
    await make()
  } catch (error) {
    const there = (folder: string) =>
      stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      )
    if (codeOf(error) === 'EEXIST' && (await there(path))) return
    if (codeOf(error) !== 'ENOENT' || (await there(dirname(path)))) throw error
    await makeFolder(dirname(path))
    await make()
  }
}

export interface DataPlaces {
  /** The user's own folders: `--data`, then those of PALIMPSEST_DATA. */
  directories: string[]
  cache: string
  /** Paths of the models that a benchmark names by path, by their hash. */
  models?: Readonly<Record<string, string>>
  /** Paths of the lists of images that a request names by path, by their hash. */
  lists?: Readonly<Record<string, string>>
}

export const dataPlaces = (home: string, data: string[] = []): DataPlaces => ({
  directories: [
    ...data.map((folder) => folderOf('--data', folder)),
    ...(process.env.PALIMPSEST_DATA ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => resolve(folder)),
  ],
  cache: join(home, 'datasets'),
})

/** A folder that was named, here or in PALIMPSEST_DATA, and is not there is a mistake, not a reason to download. */
export async function checkPlaces({ directories }: DataPlaces): Promise<void> {
  for (const folder of directories) {
    const found = await stat(folder).catch((error) => {
      throw new UsageError(`--data ${folder}: expected a folder with files of datasets: ${reasonOf(error)}`)
    })
    if (!found.isDirectory())
      throw new UsageError(`--data ${folder}: expected a folder with files of datasets, got a file`)
  }
}
