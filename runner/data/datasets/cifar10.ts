/** CIFAR-10 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf): 50,000 + 10,000 colour
 *  images of 32 x 32. Read from the binary version or the python one, which come to the same bytes: archives, or the files that
 *  they hold. */
import { pictured } from '../../../schema/classes.ts'
import { defineDataset } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { cifarSplit, pickledSplit, recordBytes } from '../files/cifar.ts'
import { type Form, findPublished, type Published } from '../files/published.ts'

const BATCH_BYTES = 10_000 * recordBytes(1)
/** Room for six files and the archive's own headers; the python version has names of pictures besides. */
const MAX_TAR_BYTES = 7 * BATCH_BYTES

const batch = (sha256: string) => ({ bytes: BATCH_BYTES, sha256 })

export const binary: Form = {
  title: 'the binary version of CIFAR-10',
  folder: 'cifar-10-batches-bin',
  /** SHA-256 as published with torch-rb's torchvision; checked where a folder holds the files themselves. */
  files: {
    'data_batch_1.bin': batch('cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5'),
    'data_batch_2.bin': batch('a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed'),
    'data_batch_3.bin': batch('bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67'),
    'data_batch_4.bin': batch('014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48'),
    'data_batch_5.bin': batch('755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add'),
    'test_batch.bin': batch('8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b'),
  },
  archive: {
    name: 'cifar-10-binary.tar.gz',
    bytes: 170_052_171,
    /** The official page lists the MD5 c32a1d4ab5d03f1284b67883e8d87530 for it; this is the SHA-256 of the same bytes. */
    sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    urls: [
      'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
      'https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz',
      'https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz',
    ],
    maxTarBytes: MAX_TAR_BYTES,
  },
}

/** Read where it is there, never downloaded. MD5s as torchvision checks them. */
export const python: Form = {
  title: 'its python version',
  folder: 'cifar-10-batches-py',
  files: {
    data_batch_1: { md5: 'c99cafc152244af753f735de768cd75f' },
    data_batch_2: { md5: 'd4bba439e000b95fd0a9bffe97cbabec' },
    data_batch_3: { md5: '54ebc095f3ab1f0389bbae665268c751' },
    data_batch_4: { md5: '634d18415352ddfa80567beed471001a' },
    data_batch_5: { md5: '482c414d41f54cd18b22e5b47cb7c3cb' },
    test_batch: { md5: '40351d587109b95175f43aff81a1287e' },
  },
  archive: {
    name: 'cifar-10-python.tar.gz',
    md5: 'c58f30108f718f92721af3b95e74349a',
    urls: [],
    maxTarBytes: MAX_TAR_BYTES,
  },
}

const official: Published = {
  id: 'cifar10',
  forms: [binary, python],
  others: ['cifar-10-batches-mat', 'cifar-10-matlab.tar.gz'],
}

/** From other files of the same form, where a test has them. */
export const cifar10From = (published: Published) =>
  defineDataset({
    title: 'CIFAR-10',
    licence: 'None stated; its page asks for a citation',
    source: 'https://www.cs.toronto.edu/~kriz/cifar.html',
    normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
    async load(options) {
      const { classes } = pictured.cifar10
      const { form, files } = await findPublished(published, options)
      const split = (begin: string) => {
        const found = [...files].flatMap(([name, file]) => (name.startsWith(begin) ? [file] : []))
        return form.folder === python.folder
          ? pickledSplit(found, { labels: 'labels', classes: classes.length })
          : cifarSplit(found, { labelBytes: 1, classes: classes.length })
      }
      const [train, test] = [split('data_batch'), split('test_batch')]
      return withDigest({ channels: 3, height: 32, width: 32, classes, train, test })
    },
  })

export const cifar10 = cifar10From(official)
