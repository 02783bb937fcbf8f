/** Datasets in the forms that they are published in, made small by other software (test/golden/datasets/make.py). */
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as ten from '../../runner/data/datasets/cifar10.ts'
import * as hundred from '../../runner/data/datasets/cifar100.ts'
import * as stl from '../../runner/data/datasets/stl10.ts'
import { svhn, svhnFrom } from '../../runner/data/datasets/svhn.ts'
import { readMat } from '../../runner/data/files/mat.ts'
import type { PinnedFile } from '../../runner/data/files/pinned.ts'
import { type Form, filesOfTar, findPublished } from '../../runner/data/files/published.ts'
import { DatasetError, type LoadOptions } from '../../runner/science/dataset.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { useDatasetHome } from '../support/dataset-home.ts'
import { goldenBytes } from './golden.ts'
import { pixels } from './golden-pixels.ts'

let home: string
let options: LoadOptions

const put = useDatasetHome((given) => {
  home = given.home
  options = given.options
})

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

describe('downloads', () => {
  let server: Server
  let asked: string[]
  beforeEach(async () => {
    asked = []
    server = createServer((request, response) => {
      asked.push(request.url!)
      response.end(golden(request.url!.slice(1)))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const address = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`

  test('bring the archive of the first form that has an address, once', async () => {
    const [binary, python] = [small(ten.binary), small(ten.python)]
    const { name } = binary.archive!
    const dataset = ten.cifar10From({
      id: 'cifar10',
      forms: [python, { ...binary, archive: { ...binary.archive!, urls: [address(name)] } }],
    })
    for (let turn = 0; turn < 2; turn++) expect([...(await dataset.load(options)).test.labels]).toEqual([8, 3])
    expect(asked).toEqual([`/${name}`])
  })

  test('bring files that are published as they are', async () => {
    const pinned = (name: string): PinnedFile => {
      const bytes = golden(name)
      return { name, bytes: bytes.length, sha256: sha256Of(bytes), urls: [address(name)], plain: true }
    }
    const files = { train: pinned('train_32x32.mat'), test: pinned('test_32x32.mat') }
    expect((await svhnFrom(files).load(options)).train.count).toBe(4)
    expect(asked).toEqual(['/train_32x32.mat', '/test_32x32.mat'])
  })
})
