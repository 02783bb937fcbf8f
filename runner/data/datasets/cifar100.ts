/** CIFAR-100 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf): 50,000 + 10,000 colour
 *  images of 32 x 32 with their fine labels. Read from the binary version or the python one, as CIFAR-10. */
import { pictured } from '../../../schema/classes.ts'
import { defineDataset } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { cifarSplit, pickledSplit, recordBytes } from '../files/cifar.ts'
import { type Form, findPublished, type Published } from '../files/published.ts'

/** A coarse and a fine label a record. */
const LABEL_BYTES = 2
/** Room for both files and the archive's own headers; the python version has names of pictures besides. */
const MAX_TAR_BYTES = 70_000 * recordBytes(LABEL_BYTES)

export const binary: Form = {
  title: 'the binary version of CIFAR-100',
  folder: 'cifar-100-binary',
  /** SHA-256 as published with torch-rb's torchvision. */
  files: {
    'train.bin': {
      bytes: 50_000 * recordBytes(LABEL_BYTES),
      sha256: 'f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29',
    },
    'test.bin': {
      bytes: 10_000 * recordBytes(LABEL_BYTES),
      sha256: 'd8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a',
    },
  },
  archive: {
    name: 'cifar-100-binary.tar.gz',
    /** As published with torch-rb's torchvision and Julia's MLDatasets; the official page lists the MD5
     *  03b5dce01913d631647c71ecec9e9cb8 for it. */
    sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
    /** The official one, and a copy that others keep of it. */
    urls: [
      'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
      'https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-100-binary.tar.gz',
    ],
    maxTarBytes: MAX_TAR_BYTES,
  },
}

/** Read where it is there, never downloaded. MD5s as torchvision checks them. */
export const python: Form = {
  title: 'its python version',
  folder: 'cifar-100-python',
  files: {
    train: { md5: '16019d7e3df5f24257cddd939b257f8d' },
    test: { md5: 'f0ef6b0ae62326f3e7ffdfab6717acfc' },
  },
  archive: {
    name: 'cifar-100-python.tar.gz',
    md5: 'eb9058c3a382ffc7106e4002c42a8d85',
    urls: [],
    maxTarBytes: MAX_TAR_BYTES,
  },
}

const official: Published = {
  id: 'cifar100',
  forms: [binary, python],
  others: ['cifar-100-matlab', 'cifar-100-matlab.tar.gz'],
}

/** From other files of the same form, where a test has them. */
export const cifar100From = (published: Published) =>
  defineDataset({
    title: 'CIFAR-100',
    licence: 'None stated; its page asks for a citation',
    source: 'https://www.cs.toronto.edu/~kriz/cifar.html',
    normalization: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
    async load(options) {
      const { classes } = pictured.cifar100
      const { form, files } = await findPublished(published, options)
      const split = (name: string) => {
        const found = [files.get(form.folder === python.folder ? name : `${name}.bin`)!]
        return form.folder === python.folder
          ? pickledSplit(found, { labels: 'fine_labels', classes: classes.length })
          : cifarSplit(found, { labelBytes: LABEL_BYTES, classes: classes.length })
      }
      const [train, test] = [split('train'), split('test')]
      return withDigest({ channels: 3, height: 32, width: 32, classes, train, test })
    },
  })

export const cifar100 = cifar100From(official)
