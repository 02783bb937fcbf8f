/** What full Fashion-MNIST and its subset share. */
import { pictured } from '../../../schema/classes.ts'
import type { Split } from '../../science/dataset.ts'
import { parseIdx } from './idx.ts'

export const fashionMnist = {
  classes: pictured['fashion-mnist'].classes,
  /** Over the 60,000 training images. */
  normalization: { mean: [0.286], std: [0.353] },
  licence: 'MIT, © 2017 Zalando SE',
  source: 'https://github.com/zalandoresearch/fashion-mnist',
}

/** One split from its two IDX files. */
export function fashionMnistSplit(count: number, images: Uint8Array, labels: Uint8Array, name: string): Split {
  return {
    images: parseIdx(images, [count, 28, 28], `${name} images`),
    labels: parseIdx(labels, [count], `${name} labels`),
    count,
  }
}
