/** Files beside a model, which hold its weights where it has too many for one file. A model can name any path; none outside its own
 *  folder is read. */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { DatasetError } from '../../science/dataset.ts'
import { reasonOf } from '../../store/write.ts'

/** Weights are held in memory at once; more than this is no classifier that trains here. */
const LARGEST = 16 * 2 ** 30
/** What one read of the system gives at most. */
const PIECE = 2 ** 30

/** Gives the bytes of files by their locations, relative to the folder of the model at `path`. Throws DatasetError for a location
 *  that leads out of it, by its name or by links, and for what is no file. */
export const filesBeside =
  (path: string) =>
  (location: string): Uint8Array => {
    const place = inside(dirname(path), location, path)
    const what = `${path} keeps weights in ${location}`
    // Before it is opened: opening a pipe waits for somebody to write.
    const status = statSync(place)
    if (!status.isFile()) throw new DatasetError(`${what}, which is no file`)
    if (status.size > LARGEST)
      throw new DatasetError(`${what}, a file of ${status.size} bytes; more than ${LARGEST} are not read`)
    const file = openSync(place, 'r')
    try {
      const bytes = new Uint8Array(status.size)
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(file, bytes, at, Math.min(PIECE, bytes.length - at), at)
        if (count === 0) throw new DatasetError(`${what}, which became shorter while it was read`)
        at += count
      }
      return bytes
    } finally {
      closeSync(file)
    }
  }

/** The real path of a file, which lies under the real path of the folder. */
function inside(folder: string, location: string, path: string): string {
  let [root, place] = ['', '']
  try {
    root = realpathSync(folder)
    place = realpathSync(join(root, location))
  } catch (error) {
    throw new DatasetError(
      `${path} keeps weights in ${JSON.stringify(location)}, which must lie beside it: looked for ${join(folder, location)}: ${reasonOf(error)}`,
    )
  }
  const way = relative(root, place)
  if (way === '' || way === '..' || way.startsWith(`..${sep}`) || way === place)
    throw new DatasetError(
      `${path} keeps weights in ${JSON.stringify(location)}, which lies outside its folder; put the file itself beside the model`,
    )
  return place
}
