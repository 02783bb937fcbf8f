/** Any images in folders: `train/<class>/*` and `test/<class>/*`, or `val` where there is no `test`; `forget/<class>/*` and
 *  `retain/<class>/*` may stand in place of `train`. Classes are sorted by name, images by name within their class; file systems write an
 *  accented letter as one character or two (NFC, NFD), which is the same name here. Pixels are taken as pictures.ts has it: grey stays
 *  one channel, and nothing is resized unless a `size` is given. */
import { join } from 'node:path'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { classFolders, holdsTraining, trainingPictures } from '../files/class-folders.ts'
import { type Example, examplesIn, pictureSplit } from '../files/picture-split.ts'
import { isFolder, type Picture } from '../files/pictures.ts'

export const imageFolder = defineDataset({
  title: 'Images in folders',
  licence: 'That of your images',
  source: 'A folder of yours with train/<class>/* and test/<class>/*, or with forget, retain and test',
  normalization: { mean: [0.5], std: [0.5] },
  resizes: true,
  async load(options) {
    const path = options.path ?? (await folderOfDigest(options))
    const { parts, classes, examples } = await trainingPictures(path)
    const trained = parts.join(' and ')
    const tested = !(await isFolder(join(path, 'test'))) && (await isFolder(join(path, 'val'))) ? 'val' : 'test'
    const testFolders = await classFolders(join(path, tested))
    const lone =
      classes.find((name) => !testFolders.has(name)) ?? [...testFolders.keys()].find((name) => !classes.includes(name))
    if (lone !== undefined) {
      throw new DatasetError(
        `${path}: expected the same classes in ${trained} as in ${tested}, but ${lone} is only in ${testFolders.has(lone) ? tested : trained}; add or remove it`,
      )
    }
    const { size, signal, onProgress } = options
    const load = (name: string, pictures: Example[], first: Picture | null) =>
      pictureSplit(pictures, {
        classes: classes.length,
        first,
        wanted: { size },
        phase: `decoding ${name} images`,
        signal,
        onProgress,
      })
    const inOrder = classes.map((each) => testFolders.get(each)!)
    const testing = await examplesIn(join(path, tested), inOrder)
    const train = await load(trained, examples, null)
    const test = await load(tested, testing, train.first)
    const { channels, height, width } = train.first
    return withDigest({ channels, height, width, classes, train: train.split, test: test.split })
  },
})

/** The first of the user's folders that holds one called by the digest, whose images are then held to it. */
async function folderOfDigest({ digest, directories }: LoadOptions): Promise<string> {
  if (digest === undefined) {
    throw new DatasetError(
      'image-folder: expected the path of a folder with train/<class>/* (or forget and retain) and test/<class>/*, or the digest of its images, got neither',
    )
  }
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw new DatasetError(`image-folder: expected a digest of 64 lower-case hexadecimal digits, got "${digest}"`)
  }
  for (const directory of directories) {
    const folder = join(directory, digest)
    if (await holdsTraining(folder)) return folder
  }
  const where = directories.length > 0 ? directories.join(', ') : 'no folder, since none is named by --data'
  throw new DatasetError(
    `image-folder: looked in ${where} for a folder ${digest} with train/<class>/* and test/<class>/*; put the images there under that name`,
  )
}
