/** Lists of images in files: the forms that people have them in, and what is refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findIndexList, readIndexList } from '../../runner/data/files/index-list.ts'
import { writeNpy } from '../../runner/formats/npz.ts'
import { goldenBytes } from './golden.ts'

const golden = (name: string) => fileURLToPath(new URL(`../golden/index-lists/${name}.npy`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palimpsest-lists-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function listIn(name: string, content: string | Uint8Array) {
  const path = join(folder, name)
  await writeFile(path, content)
  return await readIndexList(path)
}
const HASH = 'ce99ae045c8b2a2a8a58fd1a2120956e74e90322eef45f7dfe1ca73eefe655d4'

test('one list in every form has one hash', async () => {
  const forms: [string, string | Uint8Array][] = [
    ['a.txt', '5\n3\n4\n'],
    ['windows.txt', '\uFEFF5\r\n3\r\n\r\n4'],
    ['a.json', '[5, 3, 4]'],
    ['a.npy', writeNpy(Int32Array.of(5, 3, 4))],
  ]
  for (const [name, content] of forms) {
    const { list, sha256 } = await listIn(name, content)
    expect([name, [...list], sha256]).toEqual([name, [3, 4, 5], HASH])
  }
})

test.each(['int32', 'int64', 'uint8', 'uint16'])('numpy saved it as %s', async (type) => {
  const { list, sha256 } = await readIndexList(golden(type))
  expect([[...list], sha256]).toEqual([[3, 4, 5], HASH])
})

test('what is written is what numpy writes', () => {
  expect(writeNpy(Int32Array.of(5, 3, 4))).toEqual(goldenBytes('index-lists/int32.npy'))
})

test.each([
  ['a number twice', 'b.txt', '1\n2\n1', /b\.txt: expected every position once, got 1 twice/],
  ['nothing', 'b.txt', '\n', /b\.txt: expected at least one position, got none/],
  ['a word', 'b.txt', '1\nx', /b\.txt: line 2: expected a position, got "x"/],
  ['a number below 0', 'b.json', '[1, -1]', /b\.json: expected positions .* from 0, got -1/],
  ['text in an array', 'b.json', '[1, "2"]', /b\.json: entry 1: expected a position, got "2"/],
  ['an object', 'b.json', '{}', /b\.json: expected an array of positions/],
  ['JSON that is none', 'b.json', '[1,', /b\.json: .*JSON/],
  ['another file called .npy', 'b.npy', 'x', /b\.npy: the list: expected a \.npy array/],
  ['another ending', 'b.csv', '1', /b\.csv: expected a list of positions as \.npy, \.txt .* got another ending/],
])('%s is refused with its place', async (_, name, content, message) => {
  await expect(listIn(name, content)).rejects.toThrow(message)
})

test.each([
  ['floats', 'float64', /expected whole numbers, got <f8/],
  ['a mask', 'bool', /expected one of .* got \|b1/],
  ['two dimensions', 'matrix', /expected one dimension, got \[3, 1\].*flatnonzero/],
])('%s of numpy are refused', async (_, name, message) => {
  await expect(readIndexList(golden(name))).rejects.toThrow(message)
})

test('a list is found by its hash in the folders of a user, and held to it', async () => {
  const request = { sha256: HASH, count: 3 }
  const places = { directories: [folder] }
  await expect(findIndexList(request, places)).rejects.toThrow(`looked in ${folder} for ${HASH}.npy, .txt or .json`)
  await expect(findIndexList(request, { directories: [] })).rejects.toThrow('none is named by --data')
  await listIn(`${HASH}.txt`, '3\n4\n6')
  await expect(findIndexList(request, places)).rejects.toThrow('it is another list')
  await listIn(`${HASH}.txt`, '4\n3\n5')
  expect([...(await findIndexList(request, places))]).toEqual([3, 4, 5])
  await expect(findIndexList({ ...request, count: 4 }, places)).rejects.toThrow('expected 4 positions')
})
