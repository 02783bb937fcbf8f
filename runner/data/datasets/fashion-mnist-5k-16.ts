/** The shipped subset of Fashion-MNIST averaged down to 16x16, for models that generate images on a CPU in minutes. */
import { defineDataset, type Split } from '../../science/dataset.ts'
import { withDigest } from '../digest.ts'
import { fashionMnist5k } from './fashion-mnist-5k.ts'

const [FROM, TO] = [28, 16]

/** Share of each source pixel in each target pixel along one axis: target i covers [i, i + 1) * 28 / 16. */
const shares = Array.from({ length: TO }, (_, i) => {
  const [start, end] = [(i * FROM) / TO, ((i + 1) * FROM) / TO]
  return Array.from({ length: FROM }, (_, at) => Math.max(0, Math.min(end, at + 1) - Math.max(start, at)) * (TO / FROM))
})

/** Area averages, rounded to bytes. [n, 1, 28, 28] -> [n, 1, 16, 16] */
export function averageDown(images: Uint8Array): Uint8Array {
  const count = images.length / (FROM * FROM)
  const small = new Uint8Array(count * TO * TO)
  const rows = new Float64Array(TO * FROM)
  for (let n = 0; n < count; n++) {
    const image = images.subarray(n * FROM * FROM, (n + 1) * FROM * FROM)
    for (let i = 0; i < TO; i++) {
      for (let x = 0; x < FROM; x++) {
        let sum = 0
        for (let y = 0; y < FROM; y++) sum += shares[i]![y]! * image[y * FROM + x]!
        rows[i * FROM + x] = sum
      }
    }
    for (let i = 0; i < TO; i++) {
      for (let j = 0; j < TO; j++) {
        let sum = 0
        for (let x = 0; x < FROM; x++) sum += shares[j]![x]! * rows[i * FROM + x]!
        small[(n * TO + i) * TO + j] = Math.round(sum)
      }
    }
  }
  return small
}

const smaller = ({ images, labels, count }: Split): Split => ({ images: averageDown(images), labels, count })

export const fashionMnist5k16 = defineDataset({
  title: 'Fashion-MNIST, 5,000 images, averaged down to 16x16',
  licence: fashionMnist5k.licence,
  source: fashionMnist5k.source,
  normalization: { mean: [0.2873], std: [0.3292] },
  async load(options) {
    const { classes, train, test } = await fashionMnist5k.load(options)
    return withDigest({ channels: 1, height: TO, width: TO, classes, train: smaller(train), test: smaller(test) })
  },
})
