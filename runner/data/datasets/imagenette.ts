/** Imagenette (https://github.com/fastai/imagenette): ten easy classes of ImageNet, 9,469 + 3,925 pictures of any size in its second
 *  version. `val` is the test set. All are brought to one size as pictures.ts states it. */
import { basename, join } from 'node:path'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { held } from '../files/held.ts'
import { examplesIn, pictureSplit } from '../files/picture-split.ts'
import { isFolder, list, type Picture } from '../files/pictures.ts'
import { placesOf } from '../files/pinned.ts'

/** Where no size is given: the shorter side of its smallest version. */
const SIZE = 160

/** Names of the classes by their folders. */
const official = {
  n01440764: 'tench',
  n02102040: 'English springer',
  n02979186: 'cassette player',
  n03000684: 'chain saw',
  n03028079: 'church',
  n03394916: 'French horn',
  n03417042: 'garbage truck',
  n03425413: 'gas pump',
  n03445777: 'golf ball',
  n03888257: 'parachute',
}

const FOLDERS = ['imagenette2-160', 'imagenette2-320', 'imagenette2']
const ADDRESS = 'https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz'

/** From other classes in the same form, where a test has them. */
export const imagenetteFrom = (names: Readonly<Record<string, string>>) =>
  defineDataset({
    title: 'Imagenette',
    licence: 'Apache-2.0; its pictures are from ImageNet',
    source: 'https://github.com/fastai/imagenette',
    normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    resizes: true,
    async load(options) {
      const { size = SIZE, signal, onProgress } = options
      const folder = await folderOf(options)
      const wnids = Object.keys(names)
      const load = async (split: string, first: Picture | null) => {
        const path = join(folder, split)
        const found = (await list(path)).join(', ')
        if (found !== wnids.join(', '))
          throw new DatasetError(`${path}: expected the folders ${wnids.join(', ')}, got ${found || 'none'}`)
        return pictureSplit(await examplesIn(path, wnids), {
          classes: wnids.length,
          first,
          wanted: { size, colour: true },
          phase: `decoding ${basename(path)} images`,
          signal,
          onProgress,
        })
      }
      const train = await load('train', null)
      const test = await load('val', train.first)
      const classes = Object.values(names)
      return withDigest({ channels: 3, height: size, width: size, classes, train: train.split, test: test.split })
    },
  })

export const imagenette = imagenetteFrom(official)

/** One that has `train` and `val`: of the user's, or the cache's. */
async function folderOf({ directories, cache }: LoadOptions): Promise<string> {
  const places = placesOf([...directories, cache], 'imagenette')
  for (const place of places.flatMap((each) => [...FOLDERS.map((name) => join(each, name)), each])) {
    if ((await isFolder(join(place, 'train'))) && (await isFolder(join(place, 'val')))) return place
  }
  throw new DatasetError(
    `imagenette: looked for a folder ${FOLDERS.join(', ')} with train and val; found none (${await held(placesOf(directories, 'imagenette'))}). Get ${ADDRESS}, unpack it, and pass its folder with --data DIR`,
  )
}
