/** Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, https://arxiv.org/abs/1708.07747): 60,000 + 10,000 grey images of clothes. */
import { defineDataset } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { fashionMnistSplit, fashionMnist as shared } from '../files/fashion-mnist.ts'
import { loadPinned, type PinnedFile } from '../files/pinned.ts'

const addresses = [
  'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
  'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
]

const pin = (name: string, bytes: number, sha256: string): PinnedFile => ({
  name,
  bytes,
  sha256,
  urls: addresses.map((address) => `${address}${name}.gz`),
})

/** Sizes and hashes of the uncompressed IDX files: 16 or 8 bytes of header, then 784 or 1 bytes an example. */
const files = {
  trainImages: pin(
    'train-images-idx3-ubyte',
    16 + 60_000 * 784,
    'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  ),
  trainLabels: pin(
    'train-labels-idx1-ubyte',
    8 + 60_000,
    'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  ),
  testImages: pin(
    't10k-images-idx3-ubyte',
    16 + 10_000 * 784,
    '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  ),
  testLabels: pin(
    't10k-labels-idx1-ubyte',
    8 + 10_000,
    '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  ),
}

export const fashionMnist = defineDataset({
  title: 'Fashion-MNIST',
  licence: shared.licence,
  source: shared.source,
  normalization: shared.normalization,
  async load(options) {
    const load = (file: PinnedFile) => loadPinned(file, 'fashion-mnist', options)
    const train = fashionMnistSplit(60_000, await load(files.trainImages), await load(files.trainLabels), 'training')
    const test = fashionMnistSplit(10_000, await load(files.testImages), await load(files.testLabels), 'test')
    return withDigest({ channels: 1, height: 28, width: 28, classes: shared.classes, train, test })
  },
})
