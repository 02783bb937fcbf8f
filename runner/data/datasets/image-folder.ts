/** Any images in folders: `train/<class>/*` and `test/<class>/*`. Classes are sorted by name, images by name within their
 *  class; file systems write an accented letter as one character or two (NFC, NFD), which is the same name here. Pixels are taken as stored: no resizing, no rotation; grey stays one channel, transparency is dropped. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { labelsFrom, MAX_CLASSES } from '../../formats/labels.ts'
import { DatasetError, defineDataset, type LoadOptions, type Split } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { AT_ONCE, decode, list, type Picture, shapeOf } from '../files/pictures.ts'

export const imageFolder = defineDataset({
  title: 'Images in folders',
  licence: 'That of your images',
  source: 'A folder of yours with train/<class>/* and test/<class>/*',
  normalization: { mean: [0.5], std: [0.5] },
  async load(options) {
    const path = options.path ?? (await folderOfDigest(options))
    const trainFolders = await foldersOf(join(path, 'train'))
    const testFolders = await foldersOf(join(path, 'test'))
    const classes = [...trainFolders.keys()]
    if (classes.length < 2 || classes.length > MAX_CLASSES) {
      throw new DatasetError(
        `${join(path, 'train')}: expected 2 to ${MAX_CLASSES} class folders, got ${classes.length}`,
      )
    }
    const lone =
      classes.find((name) => !testFolders.has(name)) ?? [...testFolders.keys()].find((name) => !trainFolders.has(name))
    if (lone !== undefined) {
      throw new DatasetError(
        `${path}: expected the same classes in train and test, but ${lone} is in one only; add or remove it`,
      )
    }
    const inOrder = (folders: Map<string, string>) => classes.map((name) => folders.get(name)!)
    const train = await loadSplit(join(path, 'train'), inOrder(trainFolders), null, options)
    const test = await loadSplit(join(path, 'test'), inOrder(testFolders), train.first, options)
    const { channels, height, width } = train.first
    return withDigest({ channels, height, width, classes, train: train.split, test: test.split })
  },
})

/** The first of the user's folders that holds one called by the digest, whose images are then held to it. */
async function folderOfDigest({ digest, directories }: LoadOptions): Promise<string> {
  if (digest === undefined) {
    throw new DatasetError(
      'image-folder: expected the path of a folder with train/<class>/* and test/<class>/*, or the digest of its images, got neither',
    )
  }
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new DatasetError(`image-folder: expected a digest of 64 lower-case hexadecimal digits, got "${digest}"`)
  }
  for (const directory of directories) {
    const folder = join(directory, digest)
    const found = await stat(join(folder, 'train')).catch(() => null)
    if (found?.isDirectory()) return folder
  }
  const where = directories.length > 0 ? directories.join(', ') : 'no folder, since none is named by --data'
  throw new DatasetError(
    `image-folder: looked in ${where} for a folder ${digest} with train/<class>/* and test/<class>/*; put the images there under that name`,
  )
}

/** Names of classes, in their order, to the names of their folders as the disk has them. */
async function foldersOf(split: string): Promise<Map<string, string>> {
  const folders = new Map<string, string>()
  for (const folder of await list(split)) {
    const name = folder.normalize('NFC')
    if (folders.has(name)) {
      throw new DatasetError(
        `${split}: expected one folder a class, got two called ${name}, their accents written in two ways; put their images into one`,
      )
    }
    folders.set(name, folder)
  }
  return folders
}

/** Every image must have the shape of `first`, or of the split's first image where `first` is null. */
async function loadSplit(
  folder: string,
  classFolders: string[],
  first: Picture | null,
  { signal, onProgress }: LoadOptions,
): Promise<{ split: Split; first: Picture }> {
  const examples: { path: string; label: number }[] = []
  for (const [label, name] of classFolders.entries()) {
    const files = await list(join(folder, name))
    if (files.length === 0) throw new DatasetError(`${join(folder, name)}: expected at least one image, got none`)
    examples.push(...files.map((file) => ({ path: join(folder, name, file), label })))
  }
  const count = examples.length
  const reference = first ?? (await decode(examples[0]!.path))
  const size = reference.pixels.length
  const images = new Uint8Array(count * size)
  for (let start = 0; start < count; start += AT_ONCE) {
    signal?.throwIfAborted()
    const decoded = await Promise.all(examples.slice(start, start + AT_ONCE).map(({ path }) => decode(path)))
    decoded.forEach((image, index) => {
      if (shapeOf(image) !== shapeOf(reference)) {
        throw new DatasetError(
          `${image.path}: expected ${shapeOf(reference)} like ${reference.path}, got ${shapeOf(image)}; bring all images to one size and kind`,
        )
      }
      images.set(image.pixels, (start + index) * size)
    })
    onProgress?.({ phase: `decoding ${folder}`, done: start + decoded.length, total: count, unit: 'images' })
  }
  const labels = labelsFrom(
    examples.map(({ label }) => label),
    classFolders.length,
  )
  return { split: { images, labels, count }, first: reference }
}
