/** Datasets of pictures and of arrays that everybody has in files of their own, made small by other software
 *  (test/golden/datasets/make.py). */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { pinContent } from '../../runner/commands/parts/check-benchmark.ts'
import { imageNpz } from '../../runner/data/datasets/image-npz.ts'
import { imagenette, imagenetteFrom } from '../../runner/data/datasets/imagenette.ts'
import { tinyImagenet } from '../../runner/data/datasets/tiny-imagenet.ts'
import { decode } from '../../runner/data/files/pictures.ts'
import type { LoadOptions, Split } from '../../runner/science/dataset.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { useDatasetHome } from '../support/dataset-home.ts'
import { goldenBytes, goldenJson } from './golden.ts'
import { pixels } from './golden-pixels.ts'

let home: string
let options: LoadOptions

const put = useDatasetHome((given) => {
  home = given.home
  options = given.options
})

const golden = (name: string) => goldenBytes(`datasets/${name}`)

const folder = (name: string) => new URL(`../golden/datasets/${name}`, import.meta.url)
/** Every 97th byte of each picture, as Pillow decodes it. */
const byPillow: Record<string, { train: number[][]; test: number[][] }> =
  goldenJson('datasets/expected.json')['every 97th byte']
const thinned = ({ images, count }: Split) => {
  const size = images.length / count
  return Array.from({ length: count }, (_, i) =>
    [...images.subarray(i * size, (i + 1) * size)].filter((_, at) => at % 97 === 0),
  )
}
/** The largest difference; NaN where the shapes differ. */
const difference = (a: number[][], b: number[][]) =>
  Math.max(
    ...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))),
    Math.abs(a.flat().length - b.flat().length),
  )

describe('tiny-imagenet', () => {
  beforeEach(() => cp(folder('tiny-imagenet-200'), join(home, 'tiny-imagenet-200'), { recursive: true }))

  test('has its training pictures, those of val as the test set, and grey ones in colour', async () => {
    const { train, test, classes, ...shape } = await tinyImagenet.load(options)
    expect(shape).toMatchObject({ channels: 3, height: 64, width: 64 })
    expect(classes).toEqual(['goldfish', 'Egyptian cat'])
    expect([...train.labels]).toEqual([0, 0, 1, 1])
    expect([...test.labels]).toEqual([1, 0])
    expect(difference(thinned(train), byPillow['tiny-imagenet']!.train)).toBeLessThanOrEqual(1)
    expect(difference(thinned(test), byPillow['tiny-imagenet']!.test)).toBeLessThanOrEqual(1)
  })

  test('which no hash of ours pins, is pinned by the digest of its images', async () => {
    const data = dataLoader({ directories: [home], cache: home })
    const benchmark = { ...benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!, dataset: { id: 'tiny-imagenet' } }
    const places = { directories: [home], cache: home }
    const { benchmark: pinned } = await pinContent(benchmark, data, { places, signal: new AbortController().signal })
    expect(pinned.dataset.digest).toBe((await tinyImagenet.load(options)).digest)
    const before = pinned.dataset.digest
    await cp(
      new URL(`${folder('tiny-imagenet-200')}/val/images/val_1.JPEG`),
      join(home, 'tiny-imagenet-200/val/images/val_0.JPEG'),
    )
    const again = dataLoader({ directories: [home], cache: home })
    await expect(again(pinned.dataset)).rejects.toThrow(`expected ${before}, so its images have changed`)
  })

  test('is found by its own folder and resized where a size is given', async () => {
    const ref = { id: 'tiny-imagenet', size: 32 }
    const load = dataLoader({ directories: [join(home, 'tiny-imagenet-200')], cache: home })
    expect((await load(ref)).dataset).toMatchObject({ height: 32, width: 32 })
  })

  test('a picture of val without a class is named', async () => {
    await put('tiny-imagenet-200/val/val_annotations.txt', Buffer.from('val_0.JPEG\tn01443537\t0\t0\t1\t1\n'))
    await expect(tinyImagenet.load(options)).rejects.toThrow('expected a class of wnids.txt for val_1.JPEG, got none')
  })

  test('where val was taken away, the error says so', async () => {
    await rm(join(home, 'tiny-imagenet-200/val'), { recursive: true })
    await expect(tinyImagenet.load(options)).rejects.toThrow(
      'val/val_annotations.txt: not found, where train and wnids.txt are',
    )
    await rm(join(home, 'tiny-imagenet-200'), { recursive: true })
    await expect(tinyImagenet.load(options)).rejects.toThrow(
      `tiny-imagenet: looked for a folder tiny-imagenet-200 with train, wnids.txt and val/val_annotations.txt; found none (${home} is empty`,
    )
  })
})

describe('imagenette', () => {
  const two = imagenetteFrom({ n01440764: 'tench', n02102040: 'English springer' })
  beforeEach(() => cp(folder('imagenette2-160'), join(home, 'imagenette2-160'), { recursive: true }))

  test('its pictures of any size come out as of Resize and CenterCrop, val as the test set', async () => {
    const { train, test, classes, ...shape } = await two.load({ ...options, size: 16 })
    expect(shape).toMatchObject({ channels: 3, height: 16, width: 16 })
    expect(classes).toEqual(['tench', 'English springer'])
    expect([...train.labels, ...test.labels]).toEqual([0, 0, 1, 1, 0, 1])
    expect(difference(thinned(train), byPillow.imagenette!.train)).toBeLessThanOrEqual(1)
    expect(difference(thinned(test), byPillow.imagenette!.test)).toBeLessThanOrEqual(1)
  })

  test('a folder without all of its classes is named with what it has', async () => {
    await expect(imagenette.load(options)).rejects.toThrow(
      /imagenette2-160\/train: expected the folders n01440764, .*n03888257, got n01440764, n02102040/,
    )
    await rm(join(home, 'imagenette2-160'), { recursive: true })
    await expect(imagenette.load(options)).rejects.toThrow(
      'imagenette: looked for a folder imagenette2-160, imagenette2-320, imagenette2',
    )
  })

  test('a picture smaller than the size is brought up to it', async () => {
    const path = join(home, 'imagenette2-160/val/n01440764/n01440764_0.JPEG')
    expect(await decode(path, { size: 50 })).toMatchObject({ height: 50, width: 50, channels: 3 })
  })
})

test('a size is refused of a dataset whose images have one', async () => {
  const load = dataLoader({ directories: [], cache: home })
  expect(() => load({ id: 'fashion-mnist-5k', size: 32 })).toThrow(
    'dataset fashion-mnist-5k: its images have one size; leave out the size 32',
  )
})

describe('image-npz', () => {
  const load = (path: string) => imageNpz.load({ ...options, path })

  test.each([
    ['grey', 1],
    ['colour', 3],
  ] as const)('a file of MedMNIST in %s has the labels and images that were written', async (name, channels) => {
    const { train, test, classes, ...shape } = await load(await put('a.npz', golden(`medmnist-${name}.npz`)))
    expect(shape).toMatchObject({ channels, height: 28, width: 28 })
    expect(classes).toEqual(['0', '1', '2'])
    expect([...train.labels]).toEqual([2, 0, 1])
    expect([...test.labels]).toEqual([1, 2])
    expect(train.images).toEqual(pixels(0, 3, [channels, 28, 28]))
    expect(test.images).toEqual(pixels(4, 2, [channels, 28, 28]))
  })

  test('is found by the digest of its images', async () => {
    const path = await put('a.npz', golden('medmnist-grey.npz'))
    const { digest } = await load(path)
    await put(`${digest}.npz`, golden('medmnist-grey.npz'))
    const found = await dataLoader({ directories: [home], cache: home })({ id: 'image-npz', digest })
    expect(found.dataset.train.count).toBe(3)
    const other = digest.replace(/./g, '0')
    await expect(imageNpz.load({ ...options, digest: other })).rejects.toThrow(
      `image-npz: looked for ${other}.npz; found none (${home} holds ${digest}.npz, a.npz)`,
    )
  })

  test('other files are told with what they are', async () => {
    const path = await put('a.npz', golden('imagenette2-160/val/n01440764/n01440764_0.JPEG'))
    await expect(load(path)).rejects.toThrow(`${path}: expected an .npz archive`)
    const arrays = await put('b.npz', goldenBytes('datasets/medmnist-colour.npz').subarray(0, 900))
    await expect(load(arrays)).rejects.toThrow('it is cut off or damaged')
    await expect(load(join(home, 'c.npz'))).rejects.toThrow('c.npz, an .npz with train_images')
  })
})
