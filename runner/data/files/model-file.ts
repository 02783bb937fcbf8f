/** Models that are files: found by path or by hash, held to their hashes, with the files beside them that hold their weights. */
import type { Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileRef } from '../../../schema/parts/model-file.ts'
import { DatasetError } from '../../science/dataset.ts'
import { sha256Of } from '../../store/digest.ts'
import type { DataPlaces } from '../../store/home.ts'
import { isAbsent } from '../../store/read.ts'
import { reasonOf } from '../../store/write.ts'
import { filesBeside } from './beside.ts'

export interface ModelFile {
  path: string
  bytes: Uint8Array
  sha256: string
  /** The bytes of a file beside it, for the reader, who asks for them one by one. Throws DatasetError for another content than was
   *  named. */
  external(location: string): Uint8Array
  /** SHA-256 of the files beside it that were read, by location; and their sizes. */
  beside(): Record<string, string>
  bytesBeside(): number
}

/** A model at a path. What `ref` says of its hashes is held against what is there. */
export async function openModelFile(
  path: string,
  { sha256: expected, external: named }: Pick<FileRef, 'sha256' | 'external'> = {},
): Promise<ModelFile> {
  const bytes = await readModel(path)
  const sha256 = sha256Of(bytes)
  if (expected !== undefined && sha256 !== expected)
    throw new DatasetError(`${path}: expected the SHA-256 ${expected}, got ${sha256}: it is another model`)
  const read = new Map<string, { bytes: Uint8Array; sha256: string }>()
  const bytesOf = filesBeside(path)
  const look = (location: string) => {
    const known = read.get(location)
    if (known) return known
    const content = bytesOf(location)
    const found = { bytes: content, sha256: sha256Of(content) }
    const wanted = named ? (Object.hasOwn(named, location) ? named[location] : null) : undefined
    if (wanted === null) {
      throw new DatasetError(
        `${path} keeps weights in ${location}, which "external" does not name: add ${JSON.stringify({ [location]: found.sha256 })}`,
      )
    }
    if (wanted !== undefined && wanted !== found.sha256)
      throw new DatasetError(
        `${join(dirname(path), location)}: expected the SHA-256 ${wanted}, got ${found.sha256}: these are other weights`,
      )
    read.set(location, found)
    return found
  }
  return {
    ...{ path, bytes, sha256 },
    external: (location) => look(location).bytes,
    beside: () => Object.fromEntries([...read].map(([location, { sha256 }]) => [location, sha256])),
    bytesBeside: () => [...read.values()].reduce((sum, { bytes }) => sum + bytes.length, 0),
  }
}

/** A model by its hash: where a command was told that it lies, else in the user's folders, as `<sha256>.onnx`, or under any name in
 *  a folder `<sha256>`. */
export async function findModelFile(
  ref: Pick<FileRef, 'sha256' | 'external'>,
  { directories, models = {} }: Pick<DataPlaces, 'directories' | 'models'>,
): Promise<ModelFile> {
  const { sha256 = '' } = ref
  // Files beside it that nobody named would be weights that no hash holds.
  const pinned = { sha256, external: ref.external ?? {} }
  const told = models[sha256]
  if (told !== undefined) return await openModelFile(told, pinned)
  for (const directory of directories) {
    const alone = join(directory, `${sha256}.onnx`)
    if (await statOf(alone)) return await openModelFile(alone, pinned)
    const folder = join(directory, sha256)
    if ((await statOf(folder))?.isDirectory()) return await openModelFile(await modelIn(folder, sha256), pinned)
  }
  const where = directories.length > 0 ? directories.join(', ') : 'no folder, since none is named by --data'
  throw new DatasetError(
    `the model with the SHA-256 ${sha256} was not found: looked in ${where} for ${sha256}.onnx, or a folder ${sha256} with the file and those beside it; put it there under that name`,
  )
}

async function modelIn(folder: string, sha256: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort()
  for (const name of names) {
    const path = join(folder, name)
    if (sha256Of(await readModel(path)) === sha256) return path
  }
  const found = names.length > 0 ? names.join(', ') : 'no such file'
  throw new DatasetError(
    `${folder}: expected a .onnx file with the SHA-256 of its name, got ${found} of another content`,
  )
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new DatasetError(`${path}: expected an ONNX file: ${reasonOf(error)}`)
  }
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw new DatasetError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
}
