/** Any images in one .npz, as MedMNIST (https://medmnist.com) keeps them: `train_images`, `train_labels`, `test_images` and `test_labels`,
 *  images of bytes [n, h, w] or [n, h, w, 3], a label an image. What else the file has, such as the validation set, is left out. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { NumberArray } from '../../formats/arrays.ts'
import { labelsFrom, MAX_CLASSES } from '../../formats/labels.ts'
import { readNpz } from '../../formats/npz.ts'
import { ArraysError, isFloat } from '../../formats/numbers.ts'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { held } from '../files/held.ts'
import { readIfPresent } from '../files/pinned.ts'
import { channelsFirst } from '../files/planes.ts'

const WANTED = 'an .npz with train_images, train_labels, test_images and test_labels'

export const imageNpz = defineDataset({
  title: 'Images in an .npz',
  licence: 'That of your images',
  source: 'A file of yours in the form of MedMNIST',
  normalization: { mean: [0.5], std: [0.5] },
  async load(options) {
    const path = options.path ?? (await fileOfDigest(options))
    const bytes = await readIfPresent(path)
    if (!bytes) throw new DatasetError(`image-npz: looked for ${path}, ${WANTED}; there is no such file`)
    const arrays = arraysOf(bytes, path)
    const [train, test] = [splitOf(arrays, 'train', path), splitOf(arrays, 'test', path)]
    const { channels, height, width } = train
    if ([test.channels, test.height, test.width].join() !== [channels, height, width].join())
      throw new DatasetError(
        `${path}: expected test images of ${width} x ${height} pixels of ${channels} channels as the training ones, got ${test.width} x ${test.height} of ${test.channels}`,
      )
    const count = 1 + Math.max(...new Set(train.labels))
    const strange = test.labels.findIndex((label) => label >= count)
    if (strange >= 0)
      throw new DatasetError(
        `${path}: expected test labels below ${count}, as the training ones, got ${test.labels[strange]} (example ${strange})`,
      )
    const classes = Array.from({ length: count }, (_, label) => `${label}`)
    const split = ({ images, labels }: typeof train) => ({
      images,
      labels: labelsFrom(labels, count),
      count: labels.length,
    })
    return withDigest({ channels, height, width, classes, train: split(train), test: split(test) })
  },
})

/** The first of the user's folders that holds a file called by the digest, whose images are then held to it. */
async function fileOfDigest({ digest, directories }: LoadOptions): Promise<string> {
  if (digest === undefined || !/^[0-9a-f]{64}$/.test(digest))
    throw new DatasetError(
      `image-npz: expected the path of ${WANTED}, or the digest of its images, got ${digest === undefined ? 'neither' : `"${digest}"`}`,
    )
  const files = directories.map((directory) => join(directory, `${digest}.npz`))
  for (const file of files) if (await stat(file).catch(() => null)) return file
  throw new DatasetError(`image-npz: looked for ${digest}.npz; found none (${await held(directories)})`)
}

function arraysOf(bytes: Uint8Array, path: string): Map<string, NumberArray> {
  try {
    return readNpz(bytes).arrays
  } catch (error) {
    if (error instanceof ArraysError) throw new DatasetError(`${path}: ${error.message}`)
    throw error
  }
}

function splitOf(arrays: Map<string, NumberArray>, name: 'train' | 'test', path: string) {
  const arrayOf = (key: string): NumberArray => {
    const found = arrays.get(key)
    if (found) return found
    throw new DatasetError(`${path}: expected ${WANTED}, got ${[...arrays.keys()].join(', ') || 'no arrays'}`)
  }
  const images = arrayOf(`${name}_images`)
  const labels = arrayOf(`${name}_labels`)
  const [count = 0, height = 0, width = 0, channels = 1] = images.shape
  const plain = images.shape.length === 3 || (images.shape.length === 4 && (channels === 1 || channels === 3))
  if (!(images.data instanceof Uint8Array) || !plain || count === 0)
    throw new DatasetError(
      `${path}: expected ${name}_images as bytes [n, h, w] or [n, h, w, 3], got ${images.type} [${images.shape.join(', ')}]`,
    )
  const single = labels.shape.length === 1 || (labels.shape.length === 2 && labels.shape[1] === 1)
  if (!single || labels.shape[0] !== count || isFloat(labels.data))
    throw new DatasetError(
      `${path}: expected ${name}_labels as whole numbers [${count}] or [${count}, 1], got ${labels.type} [${labels.shape.join(', ')}]`,
    )
  const numbers = Array.from(labels.data as ArrayLike<number | bigint>, (label, example) => {
    if (label >= 0 && label < MAX_CLASSES) return Number(label)
    throw new DatasetError(
      `${path}: expected ${name}_labels from 0 to ${MAX_CLASSES - 1}, got ${label} (example ${example})`,
    )
  })
  return { images: channelsFirst(images.data, { count, channels }), labels: numbers, channels, height, width }
}
