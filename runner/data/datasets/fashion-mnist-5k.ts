/** The first 500 training and the first 200 test images of each class of Fashion-MNIST, in the order of the original
 *  files. They ship with the repository, so nothing is downloaded; scripts/fashion-mnist-5k.ts made them. */
import { fileURLToPath } from 'node:url'
import { DatasetError, defineDataset } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { fashionMnistSplit, fashionMnist as shared } from '../files/fashion-mnist.ts'
import { findPinned, type PinnedFile } from '../files/pinned.ts'

const folder = fileURLToPath(new URL('./files/fashion-mnist-5k/', import.meta.url))

const RESTORE = 'it ships with the repository: restore it with git, or install again'

const pin = (name: string, bytes: number, sha256: string): PinnedFile => ({ name, bytes, sha256, urls: [] })

const files = {
  trainImages: pin(
    'train-images-idx3-ubyte',
    16 + 5_000 * 784,
    '444ed5f7ce17397f236f5eba17dd507d3f6912f04edd3e4f1701cdf82f2cc0c5',
  ),
  trainLabels: pin(
    'train-labels-idx1-ubyte',
    8 + 5_000,
    '35d691216f65485d010cc635af5574a9dc04aa5060de9be64ab6e5cb5ead38e9',
  ),
  testImages: pin(
    'test-images-idx3-ubyte',
    16 + 2_000 * 784,
    '15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1',
  ),
  testLabels: pin(
    'test-labels-idx1-ubyte',
    8 + 2_000,
    '234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c',
  ),
}

export const fashionMnist5k = defineDataset({
  title: 'Fashion-MNIST, 5,000 images',
  licence: shared.licence,
  source: shared.source,
  normalization: shared.normalization,
  async load({ signal }) {
    const load = async (file: PinnedFile) => {
      const bytes = await findPinned(file, { folders: [folder], remedy: RESTORE, signal })
      if (!bytes) throw new DatasetError(`${folder}${file.name}.gz: not found; ${RESTORE}`)
      return bytes
    }
    const train = fashionMnistSplit(5_000, await load(files.trainImages), await load(files.trainLabels), 'training')
    const test = fashionMnistSplit(2_000, await load(files.testImages), await load(files.testLabels), 'test')
    return withDigest({ channels: 1, height: 28, width: 28, classes: shared.classes, train, test })
  },
})
