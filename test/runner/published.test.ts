/** Datasets in the forms that they are published in, made small by other software (test/golden/datasets/make.py). */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pinContent } from '../../runner/commands/parts/check-benchmark.ts'
import * as ten from '../../runner/data/datasets/cifar10.ts'
import * as hundred from '../../runner/data/datasets/cifar100.ts'
import { imageNpz } from '../../runner/data/datasets/image-npz.ts'
import { imagenette, imagenetteFrom } from '../../runner/data/datasets/imagenette.ts'
import * as stl from '../../runner/data/datasets/stl10.ts'
import { svhn, svhnFrom } from '../../runner/data/datasets/svhn.ts'
import { tinyImagenet } from '../../runner/data/datasets/tiny-imagenet.ts'
import { readMat } from '../../runner/data/files/mat.ts'
import { readPickledDict } from '../../runner/data/files/numpy-pickle.ts'
import { decode } from '../../runner/data/files/pictures.ts'
import type { PinnedFile } from '../../runner/data/files/pinned.ts'
import { type Form, filesOfTar, findPublished } from '../../runner/data/files/published.ts'
import { DatasetError, type LoadOptions, type Split } from '../../runner/science/dataset.ts'
import { dataLoader } from '../../runner/stages/data.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { goldenBytes, goldenJson } from './golden.ts'
import { pixels } from './golden-pixels.ts'

let home: string
let options: LoadOptions

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  options = { directories: [home], cache: join(home, 'cache') }
})
afterEach(() => rm(home, { recursive: true }))

async function put(path: string, content: Uint8Array): Promise<string> {
  const full = join(home, path)
  await mkdir(dirname(full), { recursive: true })
  await writeFile(full, content)
  return full
}

const golden = (name: string) => goldenBytes(`datasets/${name}`)

/** The same form with the pins of the small files, and nowhere to download from. */
function small(form: Form): Form {
  const archive = golden(form.archive!.name)
  const entries = [...filesOfTar(gunzipSync(archive))].filter(([name]) => name in form.files)
  return {
    ...form,
    files: Object.fromEntries(entries.map(([name, bytes]) => [name, { sha256: sha256Of(bytes) }])),
    archive: { ...form.archive!, bytes: archive.length, sha256: sha256Of(archive), urls: [] },
  }
}

/** What the script put into both versions. */
const cases = [
  {
    id: 'cifar10',
    load: ten.cifar10From,
    forms: { binary: small(ten.binary), python: small(ten.python) },
    train: [3, 9, 0, 7, 1],
    test: [8, 3],
  },
  {
    id: 'cifar100',
    load: hundred.cifar100From,
    forms: { binary: small(hundred.binary), python: small(hundred.python) },
    train: [19, 49, 0],
    test: [99, 20],
  },
]

describe.each(cases)('$id', ({ id, load, forms, train, test: tested }) => {
  const dataset = load({ id, forms: Object.values(forms) })

  const expectWritten = async () => {
    const found = await dataset.load(options)
    expect([...found.train.labels]).toEqual(train)
    expect([...found.test.labels]).toEqual(tested)
    expect(found.train.images).toEqual(pixels(0, train.length, [3, 32, 32]))
    expect(found.test.images).toEqual(pixels(train.length, tested.length, [3, 32, 32]))
    return found.digest
  }

  test.each(Object.entries(forms))('the %s version has the labels and images that were written', async (_, form) => {
    await put(form.archive!.name, golden(form.archive!.name))
    await expectWritten()
  })

  test.each(Object.entries(forms))('the %s version unpacked, in a folder of its own, is the same', async (_, form) => {
    for (const [name, bytes] of filesOfTar(gunzipSync(golden(form.archive!.name))))
      await put(`${form.folder}/${name}`, bytes)
    await expectWritten()
  })

  test('both versions have one digest', async () => {
    const digests = []
    for (const form of Object.values(forms)) {
      const path = await put(form.archive!.name, golden(form.archive!.name))
      digests.push(await expectWritten())
      await rm(path)
    }
    expect(digests[1]).toBe(digests[0])
  })

  test('where neither is there, the error names what was looked for and what was found', async () => {
    await put('holiday.png', new Uint8Array(1))
    await expect(dataset.load(options)).rejects.toThrow(
      new RegExp(
        `${id}: looked for cifar-10+-binary.tar.gz, a folder cifar-.*, cifar-10+-python.tar.gz, a folder cifar-.*; found none \\(${home} holds holiday.png; ${home}/${id} is not there\\)`,
      ),
    )
  })
})

test('folders called like the files of CIFAR-100 are none of them', async () => {
  await put('train/cat/a.png', new Uint8Array(1))
  const found = findPublished({ id: 'cifar100', forms: [small(hundred.python)] }, options)
  await expect(found).rejects.toThrow('found none (')
})

test('a python version with another content is refused by the MD5 that torchvision has for it', async () => {
  const path = await put('cifar-10-batches-py/data_batch_1', golden('expected.json'))
  await expect(ten.cifar10.load(options)).rejects.toThrow(
    `${path}: expected the MD5 c99cafc152244af753f735de768cd75f, got`,
  )
})

describe('pickled dicts', () => {
  const batch = filesOfTar(gunzipSync(golden('cifar-10-python.tar.gz'))).get('data_batch_1')!
  const latin = Buffer.from(batch).toString('latin1')
  const read = (text: string) => readPickledDict(Buffer.from(text, 'latin1'), 'batch')
  const array = latin.slice(latin.indexOf('cnumpy'))

  test('hold numbers, texts and arrays of bytes', () => {
    const dict = readPickledDict(batch, 'batch')
    expect([...dict.keys()]).toEqual(['batch_label', 'labels', 'data', 'filenames'])
    expect(dict.get('filenames')).toEqual(['picture_0.png', 'picture_1.png', 'picture_2.png'])
    expect(dict.get('data')).toMatchObject({ shape: [3, 3072] })
  })

  test.each([
    [
      'os.system',
      'cos\nsystem\n(U\x04exit\x85R.',
      'batch: a dict of plain arrays does not need os.system; the file is refused',
    ],
    ['builtins.eval', 'c__builtin__\neval\nU\x011\x85R.', 'does not need __builtin__.eval'],
    ['a class by INST', '(ios\nsystem\n.', 'got the instruction 105'],
    ['a class by NEWOBJ', 'cnumpy\nndarray\n)\x81.', 'got the instruction 129'],
    ['a call of a type that may only be named', 'cnumpy\nndarray\n)R.', 'does not need a call of numpy ndarray'],
    ['a text called as a function', 'U\x08toString)R.', 'does not need a call of toString'],
    ['a property of objects called as a function', 'U\x09__proto__)R.', 'does not need a call of __proto__'],
    ['something outside of the file', 'U\x01aQ.', 'refers to nothing outside of its pickle'],
    ['an extension of the registry', '\x82\x01.', 'got the instruction 130'],
    [
      'another number of bytes than it says',
      array.replace('K\x03M\x00\x0c', 'K\x04M\x00\x0c'),
      'expected 12288 bytes for an array of [4, 3072], got 9216',
    ],
    ['objects in an array', array.replace('u1', 'O8'), 'expected an array of uint8 ("u1"), got "O8"'],
    ['items of what is no list', 'K\x01K\x02a.', 'appends to what is no list'],
    ['items of what is no dict', 'K\x01K\x02K\x03s.', 'sets items of what is no dict'],
    ['a memo that is not there', 'h\x07.', 'its item 7, which is not there'],
    ['an empty stack', 'R.', 'a pickle takes 2 from a stack of 0'],
    ['a negative length', 'T\xff\xff\xff\xff.', 'the file is cut off'],
    ['a list in the place of a dict', ']q\x00h\x00a.', 'expected a pickled dict'],
  ])('%s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(DatasetError)
    expect(() => read(text)).toThrow(message)
  })

  test('cut short anywhere, they are refused', () => {
    for (let length = 0; length < batch.length; length += 61) {
      expect(() => readPickledDict(batch.subarray(0, length), 'batch'), `${length}`).toThrow(DatasetError)
    }
  })
})

describe('svhn', () => {
  const pinned = (name: string): PinnedFile => {
    const bytes = golden(name)
    return { name, bytes: bytes.length, sha256: sha256Of(bytes), urls: [], plain: true }
  }
  const files = { train: pinned('train_32x32.mat'), test: pinned('test_32x32.mat') }
  const mat = (bytes: Uint8Array) => readMat(bytes, { path: 'a.mat', maxBytes: 10_000_000 })

  test('has the labels and images that were written, ten as the class 0', async () => {
    for (const { name } of Object.values(files)) await put(`svhn/${name}`, golden(name))
    const { train, test, classes } = await svhnFrom(files).load(options)
    expect(Array.from(train.labels, (label) => classes[label])).toEqual(['1', '9', '0', '2'])
    expect([...test.labels]).toEqual([0, 5])
    expect(train.images).toEqual(pixels(0, 4, [3, 32, 32]))
    expect(test.images).toEqual(pixels(4, 2, [3, 32, 32]))
  })

  test('a file that is not the official one is refused by its size', async () => {
    const path = await put('train_32x32.mat', golden('train_32x32.mat'))
    await expect(svhn.load(options)).rejects.toThrow(`${path}: expected 182040794 bytes, got`)
  })

  test('a damaged file of MATLAB is refused, wherever it is cut or changed', () => {
    const whole = golden('train_32x32.mat')
    for (let length = 0; length < whole.length - 1; length += 31) {
      // Between its two arrays a file may end.
      if (length !== 128) expect(() => expectBoth(mat(whole.slice(0, length)))).toThrow()
    }
    for (let at = 120; at < whole.length; at += 13) {
      try {
        mat(whole.map((byte, index) => (index === at ? byte ^ 0x55 : byte)))
      } catch (error) {
        expect(error).toBeInstanceOf(DatasetError)
      }
    }
  })
  const expectBoth = (arrays: Map<string, unknown>) => expect([...arrays.keys()]).toEqual(['X', 'y'])

  test('what unpacks to more than the dataset has is refused', () => {
    expect(() => readMat(golden('train_32x32.mat'), { path: 'a.mat', maxBytes: 1000 })).toThrow(
      'a.mat: an array cannot be unpacked',
    )
  })

  test('other files are told apart', () => {
    expect(() => mat(new Uint8Array(200))).toThrow('expected a little-endian MATLAB file of version 5')
    expect(() => mat(new Uint8Array(20))).toThrow('expected a MATLAB file of at least 128 bytes, got 20')
  })
})

describe('stl10', () => {
  const files = filesOfTar(gunzipSync(golden('stl10_binary.tar.gz')))
  const pins = Object.keys(stl.binary.files).map((name) => [name, { sha256: sha256Of(files.get(name)!) }])
  const form: Form = { ...stl.binary, files: Object.fromEntries(pins) }

  test('has the labels, from 0, and the images that were written', async () => {
    for (const [name, bytes] of files) await put(`stl10_binary/${name}`, bytes)
    const { train, test, classes } = await stl.stl10From({ id: 'stl10', forms: [form] }).load(options)
    expect(Array.from(train.labels, (label) => classes[label])).toEqual(['bird', 'truck', 'airplane'])
    expect([...test.labels]).toEqual([6])
    expect(train.images).toEqual(pixels(0, 3, [3, 96, 96]))
    expect(test.images).toEqual(pixels(3, 1, [3, 96, 96]))
  })

  test('is not downloaded: the error says where to get it', async () => {
    await expect(stl.stl10.load(options)).rejects.toThrow(
      `stl10: looked for a folder stl10_binary; found none (${home} is empty; ${home}/stl10 is not there). Get http`,
    )
  })
})

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
