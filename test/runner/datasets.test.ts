/** Datasets: what they hold, from their own files or made-up ones, and the errors of files that are something else. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createTar } from 'nanotar'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cifar10 } from '../../runner/data/datasets/cifar10.ts'
import { fashionMnist } from '../../runner/data/datasets/fashion-mnist.ts'
import { fashionMnist5k } from '../../runner/data/datasets/fashion-mnist-5k.ts'
import { averageDown } from '../../runner/data/datasets/fashion-mnist-5k-16.ts'
import { imageFolder } from '../../runner/data/datasets/image-folder.ts'
import * as datasets from '../../runner/data/datasets/index.ts'
import { cifarSplit, recordBytes } from '../../runner/data/files/cifar.ts'
import { buildIdx, parseIdx } from '../../runner/data/files/idx.ts'
import { filesOfTar } from '../../runner/data/files/published.ts'
import { DatasetError, type LoadOptions } from '../../runner/science/dataset.ts'
import { dataLoader } from '../../runner/stages/data.ts'

let home: string
let options: LoadOptions

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  options = { directories: [home], cache: join(home, 'cache') }
})
afterEach(() => rm(home, { recursive: true }))

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  )

async function put(path: string, content: Uint8Array): Promise<string> {
  const full = join(home, path)
  await mkdir(dirname(full), { recursive: true })
  await writeFile(full, content)
  return full
}

test.each(Object.entries(datasets))(
  '%s says what it is, whose it is and how its pixels are normalised',
  (_, dataset) => {
    expect(dataset.title && dataset.licence && dataset.source).toBeTruthy()
    expect(dataset.normalization.mean).toHaveLength(dataset.normalization.std.length)
    expect(Math.min(...dataset.normalization.std)).toBeGreaterThan(0)
  },
)

describe('fashion-mnist-5k', () => {
  test('has 500 training and 200 test images of each class, and needs no download', async () => {
    const { train, test, classes, digest, ...shape } = await fashionMnist5k.load(options)
    expect(shape).toEqual({ channels: 1, height: 28, width: 28 })
    expect(train.images).toHaveLength(5000 * 28 * 28)
    expect(test.images).toHaveLength(2000 * 28 * 28)
    for (const label of classes.keys()) {
      expect(train.labels.filter((other) => other === label)).toHaveLength(500)
      expect(test.labels.filter((other) => other === label)).toHaveLength(200)
    }
    expect(digest).toBe('a602dad0b20b92b19c8173c1fccff5cd5422dd8808bef175ffebb390884a09c5')
  })

  test('begins with the first images of the original, an ankle boot and a T-shirt', async () => {
    const { train, classes } = await fashionMnist5k.load(options)
    expect(Array.from(train.labels.subarray(0, 2), (label) => classes[label])).toEqual(['Ankle boot', 'T-shirt/top'])
  })

  test('its pixels have about the mean and deviation that they are normalised with', async () => {
    const { train } = await fashionMnist5k.load(options)
    const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length / 255
    expect(mean).toBeCloseTo(fashionMnist5k.normalization.mean[0]!, 2)
  })

  test('can be cancelled', async () => {
    const signal = AbortSignal.abort()
    expect((await failure(fashionMnist5k.load({ ...options, signal }))).name).toBe('AbortError')
  })
})

describe('fashion-mnist', () => {
  const images = 'train-images-idx3-ubyte'

  test('a file of the wrong size is refused with its path, both sizes and what to do', async () => {
    const path = await put(images, new Uint8Array(1000))
    const error = await failure(fashionMnist.load(options))
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toBe(
      `${path}: expected 47040016 bytes, got 1000 (SHA-256 541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53, not c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888); replace it by the official file, or pass another folder with --data DIR`,
    )
  })

  test('a file of the right size but another content is refused by its hash', async () => {
    await put(images, new Uint8Array(47_040_016))
    const error = await failure(fashionMnist.load(options))
    expect(error.message).toContain('expected the SHA-256 c59f468a2f672dc8')
  })

  test('a truncated archive is refused, in a folder named after the dataset too', async () => {
    const shipped = new URL(
      '../../runner/data/datasets/files/fashion-mnist-5k/train-labels-idx1-ubyte.gz',
      import.meta.url,
    )
    const path = await put(`fashion-mnist/${images}.gz`, (await readFile(shipped)).subarray(0, 100))
    const error = await failure(fashionMnist.load(options))
    expect(error.message).toContain(`${path}: expected a gzip file of 47040016 bytes, got unexpected end of file`)
  })

  test('a damaged file in the cache is to be deleted', async () => {
    const path = await put(`cache/fashion-mnist/${images}.gz`, new Uint8Array(10))
    const error = await failure(fashionMnist.load({ ...options, directories: [] }))
    expect(error.message).toContain(path)
    expect(error.message).toContain('delete it and run again')
  })

  test('a path that cannot be read as a file is an error, not a missing file', async () => {
    await mkdir(join(home, images))
    const error = await failure(fashionMnist.load(options))
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toContain('cannot be read: it is a folder')
  })
})

describe('IDX files', () => {
  const file = buildIdx(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3])

  test('have a magic number, big-endian sizes and the data', () => {
    expect([...file]).toEqual([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
    expect([...parseIdx(file, [2, 3], 'toy')]).toEqual([1, 2, 3, 4, 5, 6])
  })

  test.each([
    ['cut off in the header', file.subarray(0, 7), 'toy: expected an IDX file of at least 12 bytes, got 7'],
    ['cut off in the data', file.subarray(0, -1), 'toy: expected 6 bytes of data after the header, got 5'],
    ['of another rank', buildIdx(new Uint8Array(6), [6]), 'toy: expected the IDX magic number 2050, got 2049'],
    ['of another shape', buildIdx(new Uint8Array(6), [3, 2]), 'toy: expected the shape [2, 3], got [3, 2]'],
  ])('%s are refused', (_, bytes, message) => {
    expect(() => parseIdx(bytes, [2, 3], 'toy')).toThrow(message)
  })
})

describe('cifar10', () => {
  test('a file of the wrong size is refused', async () => {
    for (const batch of [1, 2, 3, 4, 5])
      await put(`cifar10/cifar-10-batches-bin/data_batch_${batch}.bin`, new Uint8Array(3))
    const path = await put('cifar10/cifar-10-batches-bin/test_batch.bin', new Uint8Array(3))
    const error = await failure(cifar10.load(options))
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toContain(`${dirname(path)}/data_batch_1.bin: expected 30730000 bytes, got 3`)
  })

  test('a file that is missing among the others is named', async () => {
    await put('data_batch_2.bin', new Uint8Array(3))
    expect((await failure(cifar10.load(options))).message).toContain(
      'data_batch_1.bin: not found beside the other files',
    )
  })

  test('a truncated archive is refused', async () => {
    await put('cifar-10-binary.tar.gz', new Uint8Array(77))
    expect((await failure(cifar10.load(options))).message).toContain('expected 170052171 bytes, got 77')
  })

  test('records become labels and planes, file after file', () => {
    const record = (batch: number, index: number) =>
      Uint8Array.of((batch + index) % 10, ...new Array(3072).fill(index % 256))
    const batches = [0, 1].map((batch) => {
      const bytes = new Uint8Array(10_000 * recordBytes(1))
      for (let index = 0; index < 10_000; index++) bytes.set(record(batch, index), index * 3073)
      return bytes
    })
    const tar = createTar(
      batches.map((data, batch) => ({ name: `cifar-10-batches-bin/data_batch_${batch + 1}.bin`, data })),
    )
    const files = filesOfTar(tar)
    expect([...files.keys()]).toEqual(['data_batch_1.bin', 'data_batch_2.bin'])
    const named = [...files].map(([path, bytes]) => ({ path, bytes }))
    const split = cifarSplit(named, { labelBytes: 1, classes: 10 })
    expect(split.count).toBe(20_000)
    // Record 10,003 is the fourth of the second file: label 1 + 3, all pixels 3.
    expect(split.labels[10_003]).toBe(4)
    expect(new Set(split.images.subarray(10_003 * 3072, 10_004 * 3072))).toEqual(new Set([3]))
    expect(() => cifarSplit(named, { labelBytes: 1, classes: 9 })).toThrow(
      'data_batch_1.bin: expected labels below 9, got 9 (record 9)',
    )
  })
})

describe('image-folder', () => {
  /** A picture of one colour; one channel where `grey`. */
  async function picture(path: string, colour: number[], { width = 4, height = 3 } = {}): Promise<void> {
    const channels = colour.length as 1 | 3 | 4
    const pixels = Buffer.from(Array.from({ length: width * height }, () => colour).flat())
    const image = sharp(pixels, { raw: { width, height, channels } })
    const grey = channels === 1 ? image.toColourspace('b-w') : image
    await put(path, await (path.endsWith('.webp') ? grey.webp({ lossless: true }) : grey.png()).toBuffer())
  }

  async function pictures(colours: { cat: number[]; dog: number[] }): Promise<void> {
    await picture('train/dog/a.png', colours.dog)
    await picture('train/cat/b.png', colours.cat)
    await picture('train/cat/a.png', colours.cat)
    await picture('test/cat/a.png', colours.cat)
    await picture('test/dog/a.png', colours.dog)
  }
  const load = () => imageFolder.load({ ...options, path: home })

  test('classes are sorted by name, pixels lie channels first', async () => {
    await pictures({ cat: [1, 2, 3], dog: [4, 5, 6] })
    const { classes, train, test, channels, height, width } = await load()
    expect({ classes, channels, height, width }).toEqual({ classes: ['cat', 'dog'], channels: 3, height: 3, width: 4 })
    expect([...train.labels]).toEqual([0, 0, 1])
    expect([...test.labels]).toEqual([0, 1])
    const planes = (colour: number[]) => colour.flatMap((value) => new Array(12).fill(value))
    expect([...train.images.subarray(0, 36)]).toEqual(planes([1, 2, 3]))
    expect([...test.images.subarray(36)]).toEqual(planes([4, 5, 6]))
  })

  test('the digest depends on the pixels, not on how they are stored', async () => {
    await pictures({ cat: [1, 2, 3], dog: [4, 5, 6] })
    const { digest } = await load()
    await rm(join(home, 'test/dog/a.png'))
    await picture('test/dog/a.webp', [4, 5, 6])
    expect((await load()).digest).toBe(digest)
    await picture('test/dog/a.webp', [4, 5, 7])
    expect((await load()).digest).not.toBe(digest)
  })

  test('images that only a digest names are found in a folder called by it, and held to it', async () => {
    await pictures({ cat: [1, 2, 3], dog: [4, 5, 6] })
    const { digest } = await load()
    const others = join(home, 'others')
    const ref = { id: 'image-folder', digest }
    const loaded = () => dataLoader({ directories: [others, home], cache: home })(ref)
    await expect(loaded()).rejects.toThrow(`looked in ${others}, ${home} for a folder ${digest} with train/<class>/*`)
    for (const part of ['train', 'test']) await cp(join(home, part), join(home, digest, part), { recursive: true })
    expect((await loaded()).dataset.digest).toBe(digest)
    await picture(`${digest}/test/dog/a.png`, [4, 5, 7])
    await expect(loaded()).rejects.toThrow(`expected ${digest}, so its images have changed`)
    const outside = { ...ref, digest: '../others' }
    const escaping = dataLoader({ directories: [home], cache: home })(outside)
    await expect(escaping).rejects.toThrow('expected a digest of 64 lower-case hexadecimal digits, got "../others"')
  })

  test('grey images have one channel', async () => {
    await pictures({ cat: [10], dog: [200] })
    const { channels, test } = await load()
    expect(channels).toBe(1)
    expect([test.images[0], test.images[12]]).toEqual([10, 200])
  })

  test('transparency is dropped', async () => {
    await pictures({ cat: [1, 2, 3, 128], dog: [4, 5, 6] })
    expect((await load()).channels).toBe(3)
  })

  test('what file managers leave is passed over, in classes and beside them', async () => {
    await pictures({ cat: [1], dog: [2] })
    for (const folder of ['train', 'test', 'train/cat', 'test/dog']) {
      for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini']) await put(`${folder}/${name}`, new Uint8Array(3))
    }
    const { classes, train, test } = await load()
    expect([classes, train.count, test.count]).toEqual([['cat', 'dog'], 3, 2])
  })

  test('an accented class is one class, however each folder writes it, with one digest', async () => {
    const [composed, decomposed] = ['\u00e9t\u00e9', 'e\u0301te\u0301']
    await picture('train/hiver/a.png', [1])
    await picture('test/hiver/a.png', [1])
    await picture(`train/${decomposed}/a.png`, [2])
    await picture(`test/${composed}/a.png`, [2])
    const { classes, train, digest } = await load()
    expect(classes).toEqual(['hiver', composed])
    expect([train.images[0], train.images[12]]).toEqual([1, 2])
    await rm(join(home, 'train', decomposed), { recursive: true })
    await picture(`train/${composed}/a.png`, [2])
    expect((await load()).digest).toBe(digest)
    await picture(`train/${decomposed}/a.png`, [2])
    // Where the file system itself takes both for one, there is nothing to refuse.
    if ((await readdir(join(home, 'train'))).length === 3) {
      expect((await failure(load())).message).toContain(`expected one folder a class, got two called ${composed}`)
    }
  })

  test('progress counts images', async () => {
    await pictures({ cat: [1], dog: [2] })
    const seen: { phase: string; done: number; total: number }[] = []
    await imageFolder.load({ ...options, path: home, onProgress: (progress) => seen.push(progress) })
    // A server takes phases of 80 characters, and a folder may lie deep.
    expect(seen.map(({ phase, done, total }) => [phase, done, total])).toEqual([
      ['decoding train images', 3, 3],
      ['decoding test images', 2, 2],
    ])
  })

  test('val is the test set where there is no test, and a size brings all images to it', async () => {
    await pictures({ cat: [1], dog: [2] })
    await picture('train/dog/z.png', [2], { width: 9 })
    await rename(join(home, 'test'), join(home, 'val'))
    const { train, test, height, width } = await imageFolder.load({ ...options, path: home, size: 8 })
    expect([train.count, test.count, height, width]).toEqual([4, 2, 8, 8])
    expect(test.images.subarray(0, 64)).toEqual(new Uint8Array(64).fill(1))
  })

  test('an image of another size is named', async () => {
    await pictures({ cat: [1], dog: [2] })
    await picture('test/dog/z.png', [2], { width: 5 })
    expect((await failure(load())).message).toContain(
      `${join(home, 'test/dog/z.png')}: expected 4 x 3 pixels of 1 channel like ${join(home, 'train/cat/a.png')}, got 5 x 3 pixels of 1 channel`,
    )
  })

  test('a colour image among grey ones is named', async () => {
    await pictures({ cat: [1], dog: [2] })
    await picture('train/dog/z.png', [2, 3, 4])
    expect((await failure(load())).message).toContain('z.png: expected 4 x 3 pixels of 1 channel')
  })

  test('a file that is no image is named', async () => {
    await pictures({ cat: [1], dog: [2] })
    await put('train/dog/z.png', new Uint8Array(50))
    const error = await failure(load())
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toContain(`${join(home, 'train/dog/z.png')}: cannot be decoded`)
  })

  test('a truncated image is refused', async () => {
    await pictures({ cat: [1], dog: [2] })
    const whole = await readFile(join(home, 'train/cat/a.png'))
    await put('train/cat/a.png', whole.subarray(0, whole.length - 20))
    expect((await failure(load())).message).toContain('a.png: cannot be decoded')
  })

  test('a file of another format is named', async () => {
    await pictures({ cat: [1], dog: [2] })
    await put('train/dog/notes.txt', new Uint8Array(1))
    expect((await failure(load())).message).toContain('notes.txt: expected an image ending in .png, .jpg, .jpeg, .webp')
  })

  test('a class that test lacks is named', async () => {
    await pictures({ cat: [1], dog: [2] })
    await picture('train/eel/a.png', [3])
    expect((await failure(load())).message).toContain('but eel is only in train')
  })

  test('a folder without train is named', async () => {
    expect((await failure(load())).message).toContain(`${join(home, 'train')}: expected a folder`)
  })

  test('a missing path is an error', async () => {
    expect((await failure(imageFolder.load(options))).message).toContain('expected the path of a folder')
  })

  test('can be cancelled', async () => {
    await pictures({ cat: [1], dog: [2] })
    const error = await failure(imageFolder.load({ ...options, path: home, signal: AbortSignal.abort() }))
    expect(error.name).toBe('AbortError')
  })
})

test('the files of fashion-mnist-5k are those that its script makes', async () => {
  // The header of an IDX file of 5,000 images of 28 x 28.
  const url = new URL('../../runner/data/datasets/files/fashion-mnist-5k/train-images-idx3-ubyte.gz', import.meta.url)
  const bytes = gunzipSync(await readFile(url))
  expect([...bytes.subarray(0, 16)]).toEqual([0, 0, 8, 3, 0, 0, 0x13, 0x88, 0, 0, 0, 28, 0, 0, 0, 28])
})

test('averaging down keeps a flat image flat, the mean of any image, and weighs pixels by the area they share', () => {
  expect(averageDown(new Uint8Array(28 * 28).fill(77))).toEqual(new Uint8Array(16 * 16).fill(77))
  const image = new Uint8Array(28 * 28)
  image[0] = 196
  image[1] = 98
  // A target pixel is 1.75 wide: 196 counts 1 x 1 of 1.75², 98 counts 0.75 x 1 there and 0.25 x 1 in the next one.
  const small = averageDown(image)
  expect([small[0], small[1]]).toEqual([Math.round((196 + 0.75 * 98) / 3.0625), Math.round((0.25 * 98) / 3.0625)])
  expect(small.subarray(2).every((byte) => byte === 0)).toBe(true)
})

test('another version of CIFAR-10 in a folder of the user is named, with what was expected', async () => {
  await put('cifar-10-batches-mat/data_batch_1.mat', new Uint8Array(1))
  expect((await failure(cifar10.load(options))).message).toMatch(
    /cifar-10-batches-mat: expected the binary version of CIFAR-10 \(cifar-10-binary\.tar\.gz or a folder cifar-10-batches-bin\) or its python version \(cifar-10-python\.tar\.gz or a folder cifar-10-batches-py\)/,
  )
})
