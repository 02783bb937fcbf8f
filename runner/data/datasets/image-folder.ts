/** Any images in folders: `train/<class>/*` and `test/<class>/*`, or `val` where there is no `test`. Classes are sorted by name, images by name within their
 *  class; file systems write an accented letter as one character or two (NFC, NFD), which is the same name here. Pixels are taken as pictures.ts has it: grey stays one
 *  channel, and nothing is resized unless a `size` is given. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MAX_CLASSES } from '../../formats/labels.ts'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { examplesIn, pictureSplit } from '../files/picture-split.ts'
import { isFolder, list, type Picture } from '../files/pictures.ts'

export const imageFolder = defineDataset({
  title: 'Images in folders',
  licence: 'That of your images',
  source: 'A folder of yours with train/<class>/* and test/<class>/*',
  normalization: { mean: [0.5], std: [0.5] },
  resizes: true,
  async load(options) {
    const path = options.path ?? (await folderOfDigest(options))
    const trainFolders = await foldersOf(join(path, 'train'))
    const tested = !(await isFolder(join(path, 'test'))) && (await isFolder(join(path, 'val'))) ? 'val' : 'test'
    const testFolders = await foldersOf(join(path, tested))
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
        `${path}: expected the same classes in train and ${tested}, but ${lone} is in one only; add or remove it`,
      )
    }
    const { size, signal, onProgress } = options
    const load = async (name: string, folders: Map<string, string>, first: Picture | null) => {
      const folder = join(path, name)
      const inOrder = classes.map((each) => folders.get(each)!)
      return pictureSplit(await examplesIn(folder, inOrder), {
        classes: classes.length,
        first,
        wanted: { size },
        phase: `decoding ${basename(folder)} images`,
        signal,
        onProgress,
      })
    }
    const train = await load('train', trainFolders, null)
    const test = await load(tested, testFolders, train.first)
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
