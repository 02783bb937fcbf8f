/** Hashes of files and of whole datasets. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Dataset } from '../dataset.ts'

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Of a file of any size, read piece by piece. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 ** 2 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Completes a dataset with its digest: SHA-256 of a JSON line with shape, classes and counts, then train images, train
 *  labels, test images and test labels. */
export function withDigest(dataset: Omit<Dataset, 'digest'>): Dataset {
  const { channels, height, width, classes, train, test } = dataset
  const hash = createHash('sha256')
  hash.update(`${JSON.stringify({ channels, height, width, classes, train: train.count, test: test.count })}\n`)
  for (const { images, labels } of [train, test]) hash.update(images).update(labels)
  return { ...dataset, digest: hash.digest('hex') }
}
