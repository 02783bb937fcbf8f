/** Datasets in the forms that they are published in, made small by other software (test/golden/datasets/make.py). */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as ten from '../../runner/data/datasets/cifar10.ts'
import * as hundred from '../../runner/data/datasets/cifar100.ts'
import { readPickledDict } from '../../runner/data/files/numpy-pickle.ts'
import { type Form, filesOfTar, findPublished } from '../../runner/data/files/published.ts'
import { DatasetError, type LoadOptions } from '../../runner/science/dataset.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { goldenBytes } from './golden.ts'
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
