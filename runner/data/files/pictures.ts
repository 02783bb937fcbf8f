/** Pictures on the disk, decoded: pixels as stored, without resizing or rotation; grey stays one channel, transparency is
 *  dropped. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { DatasetError, ImageError } from '../../science/dataset.ts'
import { reasonOf } from '../../store/write.ts'
import { pictureLibrary } from './sharp.ts'

const extensions = ['.png', '.jpg', '.jpeg', '.webp']

/** What Windows leaves in folders with pictures; the files of macOS begin with a dot. */
const litter = ['thumbs.db', 'ehthumbs.db', 'desktop.ini']

/** Decoded at a time. */
export const AT_ONCE = 32

export interface Picture {
  path: string
  pixels: Uint8Array
  channels: number
  height: number
  width: number
}

/** Visible names in a folder, sorted by code unit of their NFC form, so that the order is the same everywhere. */
export async function list(folder: string): Promise<string[]> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    throw new DatasetError(`${folder}: expected a folder: ${reasonOf(error)}`)
  }
  const key = (name: string) => name.normalize('NFC')
  return names
    .filter((name) => !name.startsWith('.') && !litter.includes(name.toLowerCase()))
    .sort((a, b) => (key(a) < key(b) || (key(a) === key(b) && a < b) ? -1 : 1))
}

/** Files below a folder, folder by folder in the order of their names. */
export async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const name of await list(folder)) {
    const path = join(folder, name)
    if ((await stat(path)).isDirectory()) files.push(...(await filesBelow(path)))
    else files.push(path)
  }
  return files
}

export const isFolder = (path: string): Promise<boolean> =>
  readdir(path).then(
    () => true,
    () => false,
  )

export const shapeOf = ({ width, height, channels }: Picture) =>
  `${width} x ${height} pixels of ${channels} channel${channels === 1 ? '' : 's'}`

/** Bytes of one image, channels first. */
export async function decode(path: string): Promise<Picture> {
  if (!extensions.includes(extname(path).toLowerCase())) {
    throw new DatasetError(`${path}: expected an image ending in ${extensions.join(', ')}; convert or remove it`)
  }
  const sharp = pictureLibrary()
  try {
    const file = sharp(path, { failOn: 'warning' })
    const { space } = await file.metadata()
    const grey = space === 'b-w' || space === 'grey16'
    const { data, info } = await file
      .removeAlpha()
      .toColourspace(grey ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    const { channels, height, width } = info
    return { path, pixels: channelsFirst(data, channels), channels, height, width }
  } catch (error) {
    throw new ImageError(`${path}: cannot be decoded: ${(error as Error).message}; replace or remove it`)
  }
}

/** [h, w, c] -> [c, h, w] */
function channelsFirst(pixels: Uint8Array, channels: number): Uint8Array {
  const area = pixels.length / channels
  const planes = new Uint8Array(pixels.length)
  for (let channel = 0; channel < channels; channel++) {
    for (let index = 0; index < area; index++) planes[channel * area + index] = pixels[index * channels + channel]!
  }
  return planes
}
