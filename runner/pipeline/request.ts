/** Forget requests as people write them, made what stages have: classes by name become labels, a file of positions its hash, and so
 *  does a folder of the images to be forgotten. */
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { type Benchmark, benchmark as benchmarkShape } from '../../schema/benchmark.ts'
import { picturedOf } from '../../schema/classes.ts'
import { describeIssues } from '../../schema/issues.ts'
import { FORGET, trainingPictures } from '../data/files/class-folders.ts'
import { indexListBytes, readIndexList } from '../data/files/index-list.ts'
import { isFolder } from '../data/files/pictures.ts'
import type { DataPlaces } from '../store/home.ts'
import { reasonOf, writeWhole } from '../store/write.ts'
import { noSuch } from '../words/nearest.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'

/** As far as it is looked at before its schema is. */
const said = z.looseObject({
  dataset: z.looseObject({ id: z.string(), path: z.string().optional() }),
  request: z.looseObject({ kind: z.string() }),
})

/** The definition of a benchmark, from a file in `folder`, which its paths are relative to. What is no definition is given back as
 *  it is. */
export async function completedRequest(definition: unknown, { folder }: { folder: string }): Promise<unknown> {
  const found = said.safeParse(definition)
  if (!found.success) return definition
  const { dataset, request } = found.data
  const { kind, label, labels, path, sha256, count } = request
  const named = async (word: unknown, place: string) =>
    typeof word === 'string' ? labelNamed(word, await classNames(dataset, folder, place), place) : word
  const completed = async () => {
    if (['class', 'part'].includes(kind)) return { label: await named(label, 'request.label') }
    if (kind === 'classes' && Array.isArray(labels))
      return { labels: await Promise.all(labels.map((each, at) => named(each, `request.labels.${at}`))) }
    if (kind === 'folder') return await itemsOfFolder(dataset, folder)
    if (kind !== 'items' || typeof path !== 'string') return {}
    const own = await itemsIn(resolve(folder, path))
    if (sha256 !== undefined && sha256 !== own.sha256)
      throw new UsageError(`request.sha256: expected ${own.sha256}, the hash of the list in ${own.path}, got ${sha256}`)
    if (count !== undefined && count !== own.count)
      throw new UsageError(`request.count: expected ${own.count}, the positions in ${own.path}, got ${count}`)
    return own
  }
  return { ...found.data, request: { ...request, ...(await completed()) } }
}

/** A benchmark that forgets the images of a list in place of its own. It has another slug, since it is another benchmark. */
export async function withList(benchmark: Benchmark, path: string): Promise<Benchmark> {
  const request = await itemsIn(resolve(path))
  const { aim: _, ...rest } = benchmark
  const changed = {
    ...rest,
    slug: `${benchmark.slug}.items-${request.sha256.slice(0, 12)}`,
    title: `${benchmark.title}; D_f is the ${plural(request.count, 'image')} of ${basename(path)}`,
    request,
  }
  const { error } = benchmarkShape.safeParse({ ...benchmark, request })
  if (error) throw new UsageError(`--forget ${path}: ${describeIssues(error, changed)}`)
  return changed
}

/** Throws DatasetError for an ending that names no form. */
export async function writeIndexList(path: string, list: Int32Array): Promise<void> {
  const bytes = indexListBytes(path, list)
  try {
    await writeWhole(path, bytes)
  } catch (error) {
    throw new UsageError(`${path}: cannot be written: ${reasonOf(error)}`)
  }
}

/** Where this machine has the lists that benchmarks name by path. */
export const listsOf = (benchmarks: Benchmark[]): NonNullable<DataPlaces['lists']> =>
  Object.fromEntries(
    benchmarks.flatMap(({ request }) =>
      request.kind === 'items' && request.path !== undefined ? [[request.sha256, request.path]] : [],
    ),
  )

async function itemsIn(path: string): Promise<Extract<Benchmark['request'], { kind: 'items' }> & { path: string }> {
  const { list, sha256 } = await readIndexList(path)
  return { kind: 'items', sha256, count: list.length, path }
}

interface Pictured {
  id: string
  path?: string | undefined
}

/** The images of `forget` in a folder that has it beside `retain`. */
async function itemsOfFolder({ id, path }: Pictured, folder: string): Promise<Awaited<ReturnType<typeof itemsIn>>> {
  if (id !== 'image-folder' || path === undefined)
    throw new UsageError(
      `request.kind: folder is of an image-folder by its path, which holds forget/<class>/* and retain/<class>/*; the dataset is ${id}${id === 'image-folder' ? ' without a path' : ''}`,
    )
  const pair = resolve(folder, path)
  if (await isFolder(join(pair, FORGET))) return await itemsIn(join(pair, FORGET))
  throw new UsageError(
    `request.kind: folder expects ${pair} to hold forget/<class>/* and retain/<class>/*, got no forget`,
  )
}

async function classNames({ id, path }: Pictured, folder: string, place: string): Promise<readonly string[]> {
  const known = picturedOf({ id })
  if (known) return known.classes
  if (path !== undefined) return (await trainingPictures(resolve(folder, path))).classes
  throw new UsageError(
    `${place}: expected the label of a class, since the names of ${id} are not known before it is read`,
  )
}

function labelNamed(word: string, classes: readonly string[], place: string): number {
  const label = classes.indexOf(word.normalize('NFC'))
  if (label >= 0) return label
  throw new UsageError(`${place}: ${noSuch('class', word, classes)}`)
}
