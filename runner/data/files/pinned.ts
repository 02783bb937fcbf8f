/** Files whose content is pinned by SHA-256, in the user's folders, in the cache or at their official addresses. */
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { sha256Of } from '../../store/digest.ts'
import { localFaultOf } from '../../store/local-fault.ts'
import * as read from '../../store/read.ts'
import { reasonOf, writeWhole } from '../../store/write.ts'
import { type DownloadOptions, download } from './download.ts'
import { held } from './held.ts'

export interface PinnedFile {
  /** Name of the uncompressed file; `<name>.gz` is taken as well, and is what is downloaded. */
  name: string
  /** SHA-256 and size of the uncompressed bytes: copies compressed elsewhere differ, their content does not. */
  sha256: string
  bytes: number
  /** Official addresses of `<name>.gz`, or of the file itself where it is published so. */
  urls: string[]
  plain?: true
}

export type Tuning = Pick<DownloadOptions<unknown>, 'attempts' | 'pauseMs' | 'stallMs'>

/** What to do about a wrong file in a user's folder. */
export const REPLACE = 'replace it by the official file, or pass another folder with --data DIR'

/** Uncompressed bytes of a pinned file from the first folder that has it; null when none has. */
export async function findPinned(
  file: PinnedFile,
  { folders, remedy, signal }: { folders: string[]; remedy: string; signal?: AbortSignal | undefined },
): Promise<Uint8Array | null> {
  for (const path of folders.flatMap((folder) => [join(folder, file.name), join(folder, `${file.name}.gz`)])) {
    signal?.throwIfAborted()
    const bytes = await readIfPresent(path)
    if (bytes) return await unpack(bytes, file, path, remedy)
  }
  return null
}

/** Uncompressed bytes of a pinned file: from the user's folders, then the cache, then its official addresses.
 *  `folder` is the sub-folder that is looked in besides each of the user's folders, and used in the cache. */
export async function loadPinned(
  file: PinnedFile,
  folder: string,
  { directories, cache, signal, onProgress }: LoadOptions,
  tuning: Tuning = {},
): Promise<Uint8Array> {
  const folders = placesOf(directories, folder)
  const cached = join(cache, folder)
  const look = () => findPinned(file, { folders: [cached], remedy: `delete it and run again to download it`, signal })
  const found = (await findPinned(file, { folders, remedy: REPLACE, signal })) ?? (await look())
  if (found) return found
  const name = file.plain ? file.name : `${file.name}.gz`
  const target = join(cached, name)
  return download({
    ...tuning,
    urls: file.urls,
    name,
    ...(folders.length > 0 && {
      sought: `the folders of --data (looked for ${file.name} or ${file.name}.gz; ${await held(folders)})`,
    }),
    target,
    maxBytes: file.bytes + 1024,
    look,
    accept: (body) => unpack(body, file, name, 'it may have been damaged on the way'),
    keep: (body) => cacheFile(target, body),
    signal,
    onProgress,
  })
}

/** Each of the user's folders, then its sub-folder of the dataset's name. */
export const placesOf = (directories: string[], folder: string): string[] =>
  directories.flatMap((directory) => [directory, join(directory, folder)])

/** Null when there is no such file; DatasetError when it cannot be read. */
export async function readIfPresent(path: string): Promise<Uint8Array | null> {
  try {
    return await read.readIfPresent(path)
  } catch (error) {
    throw new DatasetError(`${path}: cannot be read: ${reasonOf(error)}; make it readable, or ${REPLACE}`)
  }
}

/** Keeps a download whose content was accepted. */
export async function cacheFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeWhole(path, bytes)
  } catch (error) {
    const fault = localFaultOf(error, path)
    if (fault) throw fault
    throw new DatasetError(
      `${path}: cannot be written: ${reasonOf(error)}; make room there, or choose another home folder`,
    )
  }
}

/** Gunzips where needed and compares size and hash with the pins. */
async function unpack(bytes: Uint8Array, file: PinnedFile, path: string, remedy: string): Promise<Uint8Array> {
  const fail = (expected: string, came: string): never => {
    throw new DatasetError(`${path}: expected ${expected}, got ${came}; ${remedy}`)
  }
  const packed = path.endsWith('.gz')
  let content = bytes
  if (packed) {
    try {
      content = await promisify(gunzip)(bytes, { maxOutputLength: file.bytes + 1 })
    } catch (error) {
      fail(`a gzip file of ${file.bytes} bytes`, (error as Error).message)
    }
  }
  const sha256 = sha256Of(content)
  if (content.length !== file.bytes) {
    fail(`${file.bytes} bytes${packed ? ' unpacked' : ''}`, `${content.length} (SHA-256 ${sha256}, not ${file.sha256})`)
  }
  if (sha256 !== file.sha256) fail(`the SHA-256 ${file.sha256}${packed ? ' unpacked' : ''}`, sha256)
  return content
}
