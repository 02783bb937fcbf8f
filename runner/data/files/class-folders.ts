/** Pictures to train on, in folders of classes: those of `train`, or of `forget` and `retain` in its place. Classes are sorted by name,
 *  pictures by name within their class, whichever of the two they lie in, so that moving one from `retain` to `forget` changes neither
 *  order nor content; of two with one name that in `forget` comes first. */
import { join } from 'node:path'
import { MAX_CLASSES } from '../../formats/labels.ts'
import { DatasetError } from '../../science/dataset.ts'
import type { Example } from './picture-split.ts'
import { isFolder, list } from './pictures.ts'

const TRAIN = 'train'
export const FORGET = 'forget'
const RETAIN = 'retain'

export interface TrainingPictures {
  /** The folders that they lie in. */
  parts: readonly string[]
  classes: string[]
  examples: Example[]
  /** Positions of those in `forget`; none where there is only `train`. */
  forget: number[]
}

/** Whether a folder seems to hold pictures to train on. */
export async function holdsTraining(path: string): Promise<boolean> {
  return (await isFolder(join(path, TRAIN))) || (await isFolder(join(path, FORGET)))
}

/** Throws DatasetError where folders or pictures are missing, or are there in both ways. */
export async function trainingPictures(path: string): Promise<TrainingPictures> {
  const parts = await partsOf(path)
  const folders = await Promise.all(parts.map((part) => classFolders(join(path, part))))
  const classes = [...new Set(folders.flatMap((each) => [...each.keys()]))].sort()
  if (classes.length < 2 || classes.length > MAX_CLASSES)
    throw new DatasetError(
      `${join(path, parts.join(' and '))}: expected 2 to ${MAX_CLASSES} class folders, got ${classes.length}`,
    )
  const examples: Example[] = []
  const forget: number[] = []
  for (const [label, name] of classes.entries()) {
    const found: { name: string; part: string; path: string }[] = []
    for (const [i, part] of parts.entries()) {
      const folder = folders[i]!.get(name)
      if (folder === undefined) continue
      const files = await list(join(path, part, folder))
      found.push(...files.map((file) => ({ name: file.normalize('NFC'), part, path: join(path, part, folder, file) })))
    }
    const where = join(path, parts.length === 1 ? TRAIN : `{${parts.join(',')}}`, name)
    if (found.length === 0) throw new DatasetError(`${where}: expected at least one image, got none`)
    // Stable: of two with one name the first stays first.
    found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    for (const picture of found) {
      if (picture.part === FORGET) forget.push(examples.length)
      examples.push({ path: picture.path, label })
    }
  }
  if (parts.length > 1 && (forget.length === 0 || forget.length === examples.length))
    throw new DatasetError(
      `${join(path, forget.length === 0 ? FORGET : RETAIN)}: expected at least one image in its class folders, got none`,
    )
  return { parts, classes, examples, forget }
}

async function partsOf(path: string): Promise<readonly string[]> {
  const are = await Promise.all([TRAIN, FORGET, RETAIN].map((part) => isFolder(join(path, part))))
  const [train, forget, retain] = are
  if (!forget && !retain) return [TRAIN]
  if (train)
    throw new DatasetError(
      `${path}: expected either ${TRAIN}, or ${FORGET} and ${RETAIN} in its place, got both; take one away`,
    )
  if (forget && retain) return [FORGET, RETAIN]
  const [there, missing] = forget ? [FORGET, RETAIN] : [RETAIN, FORGET]
  throw new DatasetError(
    `${path}: expected ${FORGET} and ${RETAIN}, got ${there} alone; put the images of ${missing} beside it as ${missing}/<class>/*`,
  )
}

/** Names of classes, in their order, to the names of their folders as the disk has them. */
export async function classFolders(split: string): Promise<Map<string, string>> {
  const folders = new Map<string, string>()
  for (const folder of await list(split)) {
    const name = folder.normalize('NFC')
    if (folders.has(name)) {
      throw new DatasetError(
        `${split}: expected one folder a class, got two called ${name}, their accents written in two ways; put their images into one`,
      )
    }
    folders.set(name, folder)
  }
  return folders
}
