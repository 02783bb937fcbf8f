/** Datasets as their authors publish them: in one form or several, each some files of a folder, often as an archive of it. Looked for
 *  in the user's folders, then in the cache; the form with an address is downloaded. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { parseTar } from 'nanotar'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { sha256Of } from '../../store/digest.ts'
import { download } from './download.ts'
import { held } from './held.ts'
import { cacheFile, placesOf, REPLACE, readIfPresent, type Tuning } from './pinned.ts'

/** What is known of a file before it is read. Where only an MD5 was published, that is what it is held against. */
export interface Pin {
  bytes?: number
  sha256?: string
  md5?: string
}

export interface Form {
  /** Such as "the binary version of CIFAR-10". */
  title: string
  /** What its archive unpacks to. */
  folder: string
  files: Readonly<Record<string, Pin>>
  /** A .tar.gz. */
  archive?: Pin & {
    name: string
    /** The official address, then copies that others keep; none where it is only read. */
    urls: readonly string[]
    /** Refuses to unpack more. */
    maxTarBytes: number
  }
}

export interface Published {
  /** Looked for beside the user's folders themselves, and used in the cache. */
  id: string
  /** In the order of preference. The first with addresses is downloaded. */
  forms: readonly Form[]
  /** Where people get it, for one that is too large to be downloaded by the way. */
  address?: string
  /** Names of forms that are published and not read. */
  others?: readonly string[]
}

export interface Found {
  form: Form
  /** By name, with the path that errors name. */
  files: Map<string, { path: string; bytes: Uint8Array }>
}

/** The files of the first form that is there. Throws DatasetError that names what was looked for, where, and what was there instead. */
export async function findPublished(
  published: Published,
  { directories, cache, signal, onProgress }: LoadOptions,
  tuning: Tuning = {},
): Promise<Found> {
  const { id, forms, address } = published
  const places = placesOf(directories, id)
  for (const place of places) {
    signal?.throwIfAborted()
    const found = await firstIn(forms, place, REPLACE)
    if (found) return found
    await refuseOthers(published, place)
  }
  const cached = join(cache, id)
  const look = () => firstIn(forms, cached, 'delete it and run again to download it')
  const form = forms.find(({ archive }) => archive && archive.urls.length > 0)
  if (!form?.archive) {
    const found = await look()
    if (found) return found
    throw new DatasetError(
      `${id}: looked for ${soughtIn(published)}; found none (${await held(places)})${address === undefined ? '' : `. Get ${address}, unpack it, and pass its folder with --data DIR`}`,
    )
  }
  const { archive } = form
  const target = join(cached, archive.name)
  return (
    (await look()) ??
    download({
      ...tuning,
      urls: [...archive.urls],
      name: archive.name,
      ...(places.length > 0 && {
        sought: `the folders of --data (looked for ${soughtIn(published)}; ${await held(places)})`,
      }),
      target,
      maxBytes: archive.bytes ?? archive.maxTarBytes,
      look,
      accept: (body) => unpack(form, body, { path: archive.name, remedy: 'it may have been damaged on the way' }),
      keep: (body) => cacheFile(target, body),
      signal,
      onProgress,
    })
  )
}

/** Every name that would have done. */
const soughtIn = ({ forms }: Published): string =>
  forms.flatMap(({ archive, folder }) => [...(archive ? [archive.name] : []), `a folder ${folder}`]).join(', ')

async function firstIn(forms: readonly Form[], place: string, remedy: string): Promise<Found | null> {
  for (const form of forms) {
    for (const folder of [place, join(place, form.folder)]) {
      const files = await filesIn(form, folder, remedy)
      if (files) return { form, files }
    }
    if (!form.archive) continue
    const path = join(place, form.archive.name)
    const body = await readIfPresent(path)
    if (body) return await unpack(form, body, { path, remedy })
  }
  return null
}

async function refuseOthers({ forms, others = [] }: Published, place: string): Promise<void> {
  const names = await readdir(place).catch(() => [])
  const other = names.find((name) => others.includes(name))
  if (other === undefined) return
  throw new DatasetError(
    `${join(place, other)}: expected ${forms.map(({ title, archive, folder }) => `${title} (${archive ? `${archive.name} or ` : ''}a folder ${folder})`).join(' or ')}, got another version; put one of these beside it, or leave its folder out to download one`,
  )
}

/** The files of a folder, or null when it has none of them. A folder in the place of a file, which another form may have, is none. */
async function filesIn(form: Form, folder: string, remedy: string): Promise<Found['files'] | null> {
  const names = Object.keys(form.files)
  const there = await readdir(folder, { withFileTypes: true }).catch(() => [])
  if (!there.some((entry) => names.includes(entry.name) && !entry.isDirectory())) return null
  const files: Found['files'] = new Map()
  for (const name of names) {
    const path = join(folder, name)
    const bytes = await readIfPresent(path)
    if (!bytes) throw new DatasetError(`${path}: not found beside the other files of ${form.title}; ${remedy}`)
    expectPin(path, bytes, form.files[name]!, remedy)
    files.set(name, { path, bytes })
  }
  return files
}

/** The files of an archive, which its own hash covers. */
async function unpack(
  form: Form,
  body: Uint8Array,
  { path, remedy }: { path: string; remedy: string },
): Promise<Found> {
  const archive = form.archive!
  expectPin(path, body, archive, remedy)
  const tar = await promisify(gunzip)(body, { maxOutputLength: archive.maxTarBytes })
  const entries = filesOfTar(tar)
  const files: Found['files'] = new Map()
  for (const [name, { bytes: size }] of Object.entries(form.files)) {
    const bytes = entries.get(name)
    if (!bytes || (size !== undefined && bytes.length !== size))
      throw new DatasetError(
        `${path}: expected ${name}${size === undefined ? '' : ` of ${size} bytes`} in it, got ${bytes?.length ?? 'none'}; ${remedy}`,
      )
    files.set(name, { path: `${path}/${name}`, bytes })
  }
  return { form, files }
}

/** Files of an unpacked archive by the last part of their name. */
export function filesOfTar(tar: Uint8Array): Map<string, Uint8Array> {
  // A copy, since parseTar reads from the start of the array's buffer.
  const entries = parseTar(new Uint8Array(tar)).filter(({ data }) => data)
  return new Map(entries.map(({ name, data }) => [name.slice(name.lastIndexOf('/') + 1), data!]))
}

/** Throws DatasetError where the bytes are not those that were pinned. */
export function expectPin(path: string, bytes: Uint8Array, { bytes: size, sha256, md5 }: Pin, remedy: string): void {
  if (size !== undefined && bytes.length !== size)
    throw new DatasetError(`${path}: expected ${size} bytes, got ${bytes.length}; ${remedy}`)
  const [kind, expected, actual] =
    sha256 === undefined && md5 !== undefined
      ? ['MD5', md5, createHash('md5').update(bytes).digest('hex')]
      : ['SHA-256', sha256, sha256 === undefined ? undefined : sha256Of(bytes)]
  if (actual !== expected) throw new DatasetError(`${path}: expected the ${kind} ${expected}, got ${actual}; ${remedy}`)
}
