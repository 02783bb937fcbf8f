/** SVHN, cropped digits (Netzer et al. 2011, http://ufldl.stanford.edu/housenumbers/): 73,257 + 26,032 colour images of 32 x 32.
 *  The digit 0, which its files label 10, is class 0. */
import { DatasetError, defineDataset, type Split } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { readMat } from '../files/mat.ts'
import { loadPinned, type PinnedFile } from '../files/pinned.ts'
import { turned } from '../files/planes.ts'

const SIDE = 32
const PIXELS = 3 * SIDE * SIDE
const classes = Array.from({ length: 10 }, (_, digit) => `${digit}`)

const pin = (name: string, bytes: number, sha256: string): PinnedFile => ({
  name,
  bytes,
  sha256,
  urls: [`http://ufldl.stanford.edu/housenumbers/${name}`],
  plain: true,
})

/** As TensorFlow's and torchvision's lists have them. */
const official = {
  train: pin('train_32x32.mat', 182_040_794, '435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8'),
  test: pin('test_32x32.mat', 64_275_384, 'cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b'),
}

/** From other files of the same form, where a test has them. */
export const svhnFrom = (files: Record<'train' | 'test', PinnedFile>) =>
  defineDataset({
    title: 'SVHN',
    licence: 'None stated; its page allows non-commercial use',
    source: 'http://ufldl.stanford.edu/housenumbers/',
    normalization: { mean: [0.4377, 0.4438, 0.4728], std: [0.198, 0.201, 0.197] },
    async load(options) {
      const split = async (file: PinnedFile) => splitOf(await loadPinned(file, 'svhn', options), file.name)
      const [train, test] = [await split(files.train), await split(files.test)]
      return withDigest({ channels: 3, height: SIDE, width: SIDE, classes, train, test })
    },
  })

export const svhn = svhnFrom(official)

/** X is [y, x, c, n] column by column, so image after image, plane after plane, but with y running fastest. */
function splitOf(bytes: Uint8Array, path: string): Split {
  const arrays = readMat(bytes, { path, maxBytes: 80_000 * PIXELS })
  const [X, y] = [arrays.get('X'), arrays.get('y')]
  const count = X?.shape[3] ?? 1
  const expected = [SIDE, SIDE, 3, count]
  if (
    !X ||
    X.shape.join() !== (count === 1 ? expected.slice(0, 3) : expected).join() ||
    !(X.data instanceof Uint8Array)
  )
    throw new DatasetError(
      `${path}: expected an array X of bytes [32, 32, 3, n], got ${X ? `[${X.shape.join(', ')}]` : [...arrays.keys()].join(', ')}`,
    )
  if (!y || y.data.length !== count)
    throw new DatasetError(`${path}: expected ${count} labels y, got ${y?.data.length ?? 'none'}`)
  const images = turned(X.data, SIDE)
  const labels = Uint8Array.from(y.data, (label, example) => {
    if (label >= 1 && label <= 10) return label % 10
    throw new DatasetError(`${path}: expected labels from 1 to 10, got ${label} (example ${example})`)
  })
  return { images, labels, count }
}
