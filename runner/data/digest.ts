/** The digest that pins the content of a dataset. */
import { createHash } from 'node:crypto'
import type { Dataset } from '../science/dataset.ts'

/** Completes a dataset with its digest: SHA-256 of a JSON line with shape, classes and counts, then train images, train
 *  labels, test images and test labels; labels are bytes, or two bytes each, the low one first, beyond 256 classes. */
export function withDigest(dataset: Omit<Dataset, 'digest'>): Dataset {
  const { channels, height, width, classes, train, test } = dataset
  const hash = createHash('sha256')
  hash.update(`${JSON.stringify({ channels, height, width, classes, train: train.count, test: test.count })}\n`)
  for (const { images, labels } of [train, test]) hash.update(images).update(labels)
  return { ...dataset, digest: hash.digest('hex') }
}
