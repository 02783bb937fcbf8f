/** Tiny ImageNet (http://cs231n.stanford.edu/reports/2015/pdfs/yle_project.pdf): 200 classes of ImageNet, 500 + 50 pictures of 64 x 64 of
 *  each. Training pictures lie in `train/<wnid>/images`; the test set is `val`, whose pictures lie in one folder and have their classes
 *  in a table. Classes are in the order of their WordNet ids; grey pictures become colours. */
import { join } from 'node:path'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { held } from '../files/held.ts'
import { type Example, examplesIn, pictureSplit } from '../files/picture-split.ts'
import { isFolder, list } from '../files/pictures.ts'
import { placesOf, readIfPresent } from '../files/pinned.ts'

const FOLDER = 'tiny-imagenet-200'
const ANNOTATIONS = 'val_annotations.txt'
const ADDRESS = 'http://cs231n.stanford.edu/tiny-imagenet-200.zip (MD5 90528d7ca1a48142e341f4ef8d21d0de)'

export const tinyImagenet = defineDataset({
  title: 'Tiny ImageNet',
  licence: 'None stated; its pictures are from ImageNet',
  source: 'http://cs231n.stanford.edu/tiny-imagenet-200.zip',
  normalization: { mean: [0.4802, 0.4481, 0.3975], std: [0.277, 0.2691, 0.2821] },
  resizes: true,
  async load(options) {
    const { size, signal, onProgress } = options
    const folder = await folderOf(options)
    const wnids = await linesOf(join(folder, 'wnids.txt'))
    wnids.sort()
    const shared = { classes: wnids.length, wanted: { size, colour: true }, signal, onProgress }
    const training = await examplesIn(
      join(folder, 'train'),
      wnids.map((wnid) => join(wnid, 'images')),
    )
    const train = await pictureSplit(training, { ...shared, first: null, phase: 'decoding train images' })
    const test = await pictureSplit(await annotated(join(folder, 'val'), wnids), {
      ...{ ...shared, first: train.first, phase: 'decoding val images' },
    })
    const { channels, height, width } = train.first
    const classes = await namesOf(folder, wnids)
    return withDigest({ channels, height, width, classes, train: train.split, test: test.split })
  },
})

async function folderOf({ directories, cache }: LoadOptions): Promise<string> {
  for (const place of placesOf([...directories, cache], 'tiny-imagenet').flatMap((each) => [
    each,
    join(each, FOLDER),
  ])) {
    if (await readIfPresent(join(place, 'val', ANNOTATIONS))) return place
    if ((await isFolder(join(place, 'train'))) && (await readIfPresent(join(place, 'wnids.txt'))))
      throw new DatasetError(
        `${join(place, 'val', ANNOTATIONS)}: not found, where train and wnids.txt are; unpack the official archive anew: ${ADDRESS}`,
      )
  }
  throw new DatasetError(
    `tiny-imagenet: looked for a folder ${FOLDER} with train, wnids.txt and val/${ANNOTATIONS}; found none (${await held(placesOf(directories, 'tiny-imagenet'))}). Get ${ADDRESS}, unpack it, and pass its folder with --data DIR`,
  )
}

async function linesOf(path: string): Promise<string[]> {
  const bytes = await readIfPresent(path)
  if (!bytes) throw new DatasetError(`${path}: not found; unpack the official archive anew: ${ADDRESS}`)
  return new TextDecoder().decode(bytes).split(/\r?\n/).filter(Boolean)
}

/** In the order of the pictures' names. A line of the table is a picture, its class and its box. */
async function annotated(folder: string, wnids: readonly string[]): Promise<Example[]> {
  const table = join(folder, ANNOTATIONS)
  const classOf = new Map((await linesOf(table)).map((line) => line.split('\t') as [string, string]))
  const files = await list(join(folder, 'images'))
  const lone = [...classOf.keys()].find((name) => !files.includes(name))
  if (lone !== undefined) throw new DatasetError(`${join(folder, 'images', lone)}: not found, and ${table} names it`)
  return files.map((file) => {
    const label = wnids.indexOf(classOf.get(file) ?? '')
    if (label >= 0) return { path: join(folder, 'images', file), label }
    throw new DatasetError(
      `${table}: expected a class of wnids.txt for ${file}, got ${classOf.get(file) ?? 'none'}; unpack the official archive anew: ${ADDRESS}`,
    )
  })
}

/** The first of each class's words; two classes may have the same, such as two kinds of crane, which their ids then tell apart. */
async function namesOf(folder: string, wnids: readonly string[]): Promise<string[]> {
  const words = new Map((await linesOf(join(folder, 'words.txt'))).map((line) => line.split('\t') as [string, string]))
  const names = wnids.map((wnid) => words.get(wnid)?.split(',')[0]?.trim() || wnid)
  return names.map((name, at) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${wnids[at]})`))
}
