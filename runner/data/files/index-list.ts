/** Lists of images by their positions in the training set, as people save them: numpy's .npy, a text of a number a line, a JSON array.
 *  They are named by the hash of what they list, so that the same list in another form is the same request. */
import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { indexListHash, indexListOf } from '../../../schema/parts/index-list.ts'
import { readNpy, writeNpy } from '../../formats/npz.ts'
import { isFloat } from '../../formats/numbers.ts'
import { DatasetError } from '../../science/dataset.ts'
import type { DataPlaces } from '../../store/home.ts'
import { isAbsent } from '../../store/read.ts'
import { reasonOf } from '../../store/write.ts'
import { FORGET, trainingPictures } from './class-folders.ts'

/** Ascending, each once. */
type IndexList = Int32Array<ArrayBuffer>

const readers: Record<string, (bytes: Uint8Array) => Iterable<number | bigint>> = {
  '.npy': positionsOfNpy,
  '.txt': positionsOfText,
  '.json': positionsOfJson,
}
const writers: Record<string, (list: Int32Array) => Uint8Array | string> = {
  '.npy': writeNpy,
  '.txt': (list) => `${list.join('\n')}\n`,
  '.json': (list) => `${JSON.stringify([...list])}\n`,
}
const KINDS = 'a list of positions as .npy, .txt (one a line) or .json (an array)'

/** Of ten million positions in any of the forms. */
const MOST_BYTES = 2 ** 27

/** A list at a path, or that of the pictures in a folder `forget` beside `retain`, with its hash. Throws DatasetError for a file that is none, with its name. */
export async function readIndexList(path: string): Promise<{ list: IndexList; sha256: string }> {
  const found = await statOf(path)
  if (found?.isDirectory()) return await named(await positionsOfFolder(path))
  const read = readers[extname(path).toLowerCase()]
  if (!read) throw new DatasetError(`${path}: expected ${KINDS}, got another ending`)
  if (!found?.isFile()) throw new DatasetError(`${path}: expected ${KINDS}, got ${found ? 'no file' : 'nothing there'}`)
  if (found.size > MOST_BYTES)
    throw new DatasetError(`${path}: expected at most ${MOST_BYTES} bytes, got ${found.size}: this is no list`)
  try {
    return await named(read(await readFile(path)))
  } catch (error) {
    throw new DatasetError(`${path}: ${reasonOf(error)}`)
  }
}

async function named(positions: Iterable<number | bigint>): Promise<{ list: IndexList; sha256: string }> {
  const list = indexListOf(positions)
  return { list, sha256: await indexListHash(list) }
}

/** The bytes of a list in the form that the ending of a file asks for. Throws DatasetError for another one. */
export function indexListBytes(path: string, list: Int32Array): Uint8Array | string {
  const write = writers[extname(path).toLowerCase()]
  if (write) return write(list)
  throw new DatasetError(`${path}: expected ${KINDS}, got another ending`)
}

/** A list by its hash: where a command was told that it lies, else in the user's folders, as `<sha256>.npy`, `.txt` or `.json`. */
export async function findIndexList(
  { sha256, count }: { sha256: string; count: number },
  { directories, lists = {} }: Pick<DataPlaces, 'directories' | 'lists'>,
): Promise<IndexList> {
  const told = lists[sha256]
  const paths = directories.flatMap((folder) => Object.keys(readers).map((end) => join(folder, `${sha256}${end}`)))
  for (const path of told === undefined ? paths : [told]) {
    if (!(await statOf(path))) continue
    const { list, sha256: actual } = await readIndexList(path)
    if (actual !== sha256)
      throw new DatasetError(`${path}: expected the list with the hash ${sha256}, got ${actual}: it is another list`)
    if (list.length !== count)
      throw new DatasetError(`${path}: expected ${count} positions, as the request says, got ${list.length}`)
    return list
  }
  const where = told ?? (directories.length > 0 ? directories.join(', ') : 'no folder, since none is named by --data')
  throw new DatasetError(
    `the list of images with the hash ${sha256} was not found: looked in ${where} for ${sha256}.npy, .txt or .json; put it there under that name`,
  )
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw new DatasetError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
}

/** In the training set that `forget` and `retain` make together. */
async function positionsOfFolder(path: string): Promise<number[]> {
  const folder = resolve(path)
  if (basename(folder) === FORGET) return (await trainingPictures(dirname(folder))).forget
  throw new DatasetError(
    `${path}: expected ${KINDS}, or a folder called ${FORGET} beside one called retain, got another folder`,
  )
}

function positionsOfNpy(bytes: Uint8Array): Iterable<number | bigint> {
  const { data, shape, type } = readNpy(bytes, 'the list')
  if (isFloat(data)) throw new RangeError(`expected whole numbers, got ${type}`)
  if (shape.length === 1) return data
  throw new RangeError(`expected one dimension, got [${shape.join(', ')}]; a mask is made one by numpy.flatnonzero`)
}

function* positionsOfText(bytes: Uint8Array): Iterable<number> {
  for (const [at, line] of textOf(bytes).split('\n').entries()) {
    const word = line.trim()
    if (/^\d{1,15}$/.test(word)) yield Number(word)
    else if (word !== '') throw new RangeError(`line ${at + 1}: expected a position, got "${word.slice(0, 40)}"`)
  }
}

function positionsOfJson(bytes: Uint8Array): Iterable<number> {
  const value: unknown = JSON.parse(textOf(bytes))
  if (!Array.isArray(value)) throw new RangeError('expected an array of positions')
  const strange = value.findIndex((entry) => typeof entry !== 'number')
  if (strange < 0) return value
  throw new RangeError(`entry ${strange}: expected a position, got ${JSON.stringify(value[strange]).slice(0, 40)}`)
}

const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
