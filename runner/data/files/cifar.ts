/** The binary version of CIFAR-10: six files in a tar archive, each of 10,000 records. */
import { parseTar } from 'nanotar'
import type { Split } from '../../science/dataset.ts'

/** Records of a file; each is one byte of label, then 32 x 32 bytes of red, of green and of blue. */
const RECORDS = 10_000
const PIXELS = 3 * 32 * 32
export const BATCH_BYTES = RECORDS * (1 + PIXELS)

/** Files of an unpacked archive by the last part of their name. */
export function filesOfTar(tar: Uint8Array): Map<string, Uint8Array> {
  // A copy, since parseTar reads from the start of the array's buffer.
  const entries = parseTar(new Uint8Array(tar)).filter(({ data }) => data)
  return new Map(entries.map(({ name, data }) => [name.slice(name.lastIndexOf('/') + 1), data!]))
}

/** Labels and pixels apart; the order of the files and of their records stays. */
export function cifarSplit(files: Uint8Array[]): Split {
  const count = files.length * RECORDS
  const images = new Uint8Array(count * PIXELS)
  const labels = new Uint8Array(count)
  files.forEach((file, batch) => {
    for (let record = 0; record < RECORDS; record++) {
      const start = record * (1 + PIXELS)
      const index = batch * RECORDS + record
      labels[index] = file[start]!
      images.set(file.subarray(start + 1, start + 1 + PIXELS), index * PIXELS)
    }
  })
  return { images, labels, count }
}
