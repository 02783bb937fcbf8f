/** CIFAR's two versions: records of bytes, and pickled dicts. Both hold 32 x 32 bytes of red, of green and of blue an image, so they
 *  come to the same bytes. */
import { DatasetError, type Split } from '../../science/dataset.ts'
import { isByteArray, readPickledDict } from './numpy-pickle.ts'

const PIXELS = 3 * 32 * 32
/** Of one record of the binary version. */
export const recordBytes = (labelBytes: number) => labelBytes + PIXELS

/** A file with the path that errors name. */
export interface NamedFile {
  path: string
  bytes: Uint8Array
}

/** Labels and pixels apart, file after file. Of several labels a record has, such as CIFAR-100's coarse and fine one, the last counts. */
export function cifarSplit(
  files: NamedFile[],
  { labelBytes, classes }: { labelBytes: number; classes: number },
): Split {
  const record = recordBytes(labelBytes)
  return joined(
    files.map(({ path, bytes }) => {
      const count = bytes.length / record
      if (!Number.isInteger(count))
        throw new DatasetError(`${path}: expected whole records of ${record} bytes, got ${bytes.length} bytes`)
      const labels = Array.from({ length: count }, (_, index) => bytes[index * record + labelBytes - 1]!)
      const images = new Uint8Array(count * PIXELS)
      for (let index = 0; index < count; index++) {
        images.set(bytes.subarray(index * record + labelBytes, (index + 1) * record), index * PIXELS)
      }
      return { path, labels, images }
    }),
    classes,
  )
}

/** The same from the python version, whose dicts have `data` [n, 3072] and a list of labels. */
export function pickledSplit(files: NamedFile[], { labels: key, classes }: { labels: string; classes: number }): Split {
  return joined(
    files.map(({ path, bytes }) => {
      const dict = readPickledDict(bytes, path)
      const [data, labels] = [dict.get('data'), dict.get(key)]
      if (!isByteArray(data) || data.shape.length !== 2 || data.shape[1] !== PIXELS)
        throw new DatasetError(
          `${path}: expected an array data of [n, ${PIXELS}], got ${isByteArray(data) ? `[${data.shape.join(', ')}]` : 'none'}; keys: ${[...dict.keys()].join(', ')}`,
        )
      if (!Array.isArray(labels) || labels.length !== data.shape[0])
        throw new DatasetError(
          `${path}: expected a list ${key} of ${data.shape[0]} labels, got ${Array.isArray(labels) ? labels.length : 'none'}; keys: ${[...dict.keys()].join(', ')}`,
        )
      return { path, labels, images: data.data }
    }),
    classes,
  )
}

function joined(parts: { path: string; labels: number[]; images: Uint8Array }[], classes: number): Split {
  const count = parts.reduce((sum, { labels }) => sum + labels.length, 0)
  const images = new Uint8Array(count * PIXELS)
  const labels = new Uint8Array(count)
  let done = 0
  for (const part of parts) {
    const strange = part.labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
    if (strange >= 0)
      throw new DatasetError(
        `${part.path}: expected labels below ${classes}, got ${part.labels[strange]} (record ${strange})`,
      )
    labels.set(part.labels, done)
    images.set(part.images, done * PIXELS)
    done += part.labels.length
  }
  return { images, labels, count }
}
