/** Pictures on the disk, decoded: pixels as stored, without rotation; grey stays one channel unless colour is asked for, transparency
 *  is dropped. Where a size is asked for, the shorter side is brought to it, bilinearly and as smooth as it shrinks, and the middle is
 *  cut out: torchvision's Resize and CenterCrop. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Sharp } from 'sharp'
import { DatasetError, ImageError } from '../../science/dataset.ts'
import { reasonOf } from '../../store/write.ts'
import { channelsFirst } from './planes.ts'
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

export interface Wanted {
  /** Grey pictures become colours, too. */
  colour?: boolean | undefined
  /** Side of the square that is cut out. */
  size?: number | undefined
}

/** Bytes of one image, channels first. */
export async function decode(path: string, { colour = false, size }: Wanted = {}): Promise<Picture> {
  if (!extensions.includes(extname(path).toLowerCase())) {
    throw new DatasetError(`${path}: expected an image ending in ${extensions.join(', ')}; convert or remove it`)
  }
  const sharp = pictureLibrary()
  try {
    const file = sharp(path, { failOn: 'warning' })
    const { space, width: w, height: h } = await file.metadata()
    const grey = !colour && (space === 'b-w' || space === 'grey16')
    const { data, info } = await squared(file.removeAlpha(), { width: w, height: h, size })
      .toColourspace(grey ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    const { channels, height, width } = info
    return { path, pixels: channelsFirst(data, { count: 1, channels }), channels, height, width }
  } catch (error) {
    throw new ImageError(`${path}: cannot be decoded: ${(error as Error).message}; replace or remove it`)
  }
}

function squared(
  file: Sharp,
  { width, height, size }: { width: number; height: number; size: number | undefined },
): Sharp {
  if (size === undefined) return file
  const scaled = (side: number) => Math.floor((size * side) / Math.min(width, height))
  // No shortcut of the decoder, whose pixels depend on its version.
  const options = { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false } as const
  const [w, h] = [scaled(width), scaled(height)]
  const middle = (side: number) => halfToEven((side - size) / 2)
  return file.resize(w, h, options).extract({ left: middle(w), top: middle(h), width: size, height: size })
}

/** As Python rounds. */
const halfToEven = (value: number) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))
