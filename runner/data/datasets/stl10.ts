/** STL-10 (Coates, Ng, Lee 2011, https://cs.stanford.edu/~acoates/stl10/): 5,000 + 8,000 labelled colour images of 96 x 96. Its 100,000
 *  images without labels are left out. */
import { pictured } from '../../../schema/classes.ts'
import { DatasetError, defineDataset, type Split } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { turned } from '../files/planes.ts'
import { type Form, findPublished, type Published } from '../files/published.ts'

const SIDE = 96
const PIXELS = 3 * SIDE * SIDE

/** MD5s as torchvision checks them. The archive has 2.6 GB, most of them without labels: it is neither downloaded nor unpacked here. */
export const binary: Form = {
  title: 'the binary version of STL-10',
  folder: 'stl10_binary',
  files: {
    'train_X.bin': { bytes: 5_000 * PIXELS, md5: '918c2871b30a85fa023e0c44e0bee87f' },
    'train_y.bin': { bytes: 5_000, md5: '5a34089d4802c674881badbb80307741' },
    'test_X.bin': { bytes: 8_000 * PIXELS, md5: '7f263ba9f9e0b06b93213547f721ac82' },
    'test_y.bin': { bytes: 8_000, md5: '36f9794fa4beb8a2c72628de14fa638e' },
  },
}

const official: Published = {
  id: 'stl10',
  forms: [binary],
  address: 'http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz',
  others: ['stl10_matlab', 'stl10_matlab.tar.gz'],
}

/** From other files of the same form, where a test has them. */
export const stl10From = (published: Published) =>
  defineDataset({
    title: 'STL-10',
    licence: 'None stated; its images are from ImageNet',
    source: 'https://cs.stanford.edu/~acoates/stl10/',
    normalization: { mean: [0.4467, 0.4398, 0.4066], std: [0.2603, 0.2566, 0.2713] },
    async load(options) {
      const { files } = await findPublished(published, options)
      const split = (name: string) => splitOf(files.get(`${name}_X.bin`)!.bytes, files.get(`${name}_y.bin`)!)
      const { classes } = pictured.stl10
      const [train, test] = [split('train'), split('test')]
      return withDigest({ channels: 3, height: SIDE, width: SIDE, classes, train, test })
    },
  })

export const stl10 = stl10From(official)

/** Planes lie column by column; labels count from 1. */
function splitOf(planes: Uint8Array, { path, bytes }: { path: string; bytes: Uint8Array }): Split {
  if (planes.length !== bytes.length * PIXELS)
    throw new DatasetError(
      `${path}: expected a label for each of ${planes.length / PIXELS} images, got ${bytes.length}`,
    )
  const labels = bytes.map((label, example) => {
    if (label >= 1 && label <= 10) return label - 1
    throw new DatasetError(`${path}: expected labels from 1 to 10, got ${label} (example ${example})`)
  })
  return { images: turned(planes, SIDE), labels, count: bytes.length }
}
