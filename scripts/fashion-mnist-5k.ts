/** Makes runner/data/datasets/files/fashion-mnist-5k/ from full Fashion-MNIST: the first 500 training and the first 200 test
 *  images of each class, in the order of the original files. Usage: node scripts/fashion-mnist-5k.ts DIR, where DIR holds
 *  the official IDX files. Prints the hashes to pin. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import { fashionMnist } from '../runner/data/datasets/fashion-mnist.ts'
import { buildIdx } from '../runner/data/files/idx.ts'
import type { Split } from '../runner/science/dataset.ts'
import { sha256Of } from '../runner/store/digest.ts'

const folder = new URL('../runner/data/datasets/files/fashion-mnist-5k/', import.meta.url)
const PIXELS = 28 * 28

function firstOfEachClass(split: Split, perClass: number): number[] {
  const taken = new Array<number>(10).fill(0)
  return Array.from(split.labels.keys()).filter((index) => taken[split.labels[index]!]!++ < perClass)
}

function write(name: string, bytes: Uint8Array) {
  const packed = gzipSync(bytes, { level: 9 })
  writeFileSync(new URL(`${name}.gz`, folder), packed)
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} packed, SHA-256 ${sha256Of(bytes)}`)
}

const full = await fashionMnist.load({ directories: process.argv.slice(2), cache: tmpdir() })
mkdirSync(folder, { recursive: true })
for (const [name, split, perClass] of [
  ['train', full.train, 500],
  ['test', full.test, 200],
] as const) {
  const chosen = firstOfEachClass(split, perClass)
  const images = Buffer.concat(chosen.map((index) => split.images.subarray(index * PIXELS, (index + 1) * PIXELS)))
  const labels = Uint8Array.from(chosen, (index) => split.labels[index]!)
  write(`${name}-images-idx3-ubyte`, buildIdx(images, [chosen.length, 28, 28]))
  write(`${name}-labels-idx1-ubyte`, buildIdx(labels, [chosen.length]))
}
