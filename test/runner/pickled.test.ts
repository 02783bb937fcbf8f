/** Pickles of dicts and arrays, of the python version of CIFAR and hostile ones: what is no plain data is refused, and nothing is run. */
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { pickledSplit } from '../../runner/data/files/cifar.ts'
import { readPickledDict } from '../../runner/data/files/numpy-pickle.ts'
import { filesOfTar } from '../../runner/data/files/published.ts'
import { DatasetError } from '../../runner/science/dataset.ts'
import { goldenBytes } from './golden.ts'

describe('pickled dicts', () => {
  const batch = filesOfTar(gunzipSync(goldenBytes('datasets/cifar-10-python.tar.gz'))).get('data_batch_1')!
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
    ['a mark taken as a value', 'cnumpy\ndtype\n(\x85R.', 'a pickle takes 1 from a stack that has fewer'],
    ['a list within itself, called', ']q\x00h\x00ah\x00)R.', 'does not need a call of a value of type object'],
    ['an empty stack', 'R.', 'a pickle takes 2 from a stack that has fewer'],
    ['a negative length', 'T\xff\xff\xff\xff.', 'the file is cut off'],
    ['a list in the place of a dict', ']q\x00h\x00a.', 'expected a pickled dict'],
  ])('%s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(DatasetError)
    expect(() => read(text)).toThrow(message)
  })

  test('with any byte changed, they are read or refused, and nothing else', () => {
    const short = batch.subarray(0, 420)
    for (let at = 0; at < short.length; at++) {
      for (const change of [0x01, 0x20, 0xff]) {
        const changed = batch.map((byte, index) => (index === at ? byte ^ change : byte))
        try {
          pickledSplit([{ path: 'batch', bytes: changed }], { labels: 'labels', classes: 10 })
        } catch (error) {
          expect(error, `${at}`).toBeInstanceOf(DatasetError)
        }
      }
    }
  })

  test('cut short anywhere, they are refused', () => {
    for (let length = 0; length < batch.length; length += 61) {
      expect(() => readPickledDict(batch.subarray(0, length), 'batch'), `${length}`).toThrow(DatasetError)
    }
  })
})
