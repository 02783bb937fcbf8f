/** Pictures as one split of a dataset: all of one size and kind. */
import { join } from 'node:path'
import { labelsFrom } from '../../formats/labels.ts'
import { DatasetError, type LoadOptions, type Split } from '../../science/dataset.ts'
import { AT_ONCE, decode, list, type Picture, shapeOf, type Wanted } from './pictures.ts'

export interface Example {
  path: string
  label: number
}

/** The pictures of each class's folder, by name; every folder has some. */
export async function examplesIn(folder: string, classFolders: readonly string[]): Promise<Example[]> {
  const examples: Example[] = []
  for (const [label, name] of classFolders.entries()) {
    const files = await list(join(folder, name))
    if (files.length === 0) throw new DatasetError(`${join(folder, name)}: expected at least one image, got none`)
    examples.push(...files.map((file) => ({ path: join(folder, name, file), label })))
  }
  return examples
}

interface SplitOptions extends Pick<LoadOptions, 'signal' | 'onProgress'> {
  /** How many classes the dataset has. */
  classes: number
  /** The picture whose shape all must have; null takes the first of these. */
  first: Picture | null
  wanted?: Wanted
  /** What progress calls them. */
  phase: string
}

/** In the order of the examples. */
export async function pictureSplit(
  examples: readonly Example[],
  { classes, first, wanted, phase, signal, onProgress }: SplitOptions,
): Promise<{ split: Split; first: Picture }> {
  const count = examples.length
  const reference = first ?? (await decode(examples[0]!.path, wanted))
  const size = reference.pixels.length
  const images = new Uint8Array(count * size)
  for (let start = 0; start < count; start += AT_ONCE) {
    signal?.throwIfAborted()
    const decoded = await Promise.all(examples.slice(start, start + AT_ONCE).map(({ path }) => decode(path, wanted)))
    decoded.forEach((image, index) => {
      if (shapeOf(image) !== shapeOf(reference)) {
        throw new DatasetError(
          `${image.path}: expected ${shapeOf(reference)} like ${reference.path}, got ${shapeOf(image)}; bring all images to one size and kind`,
        )
      }
      images.set(image.pixels, (start + index) * size)
    })
    onProgress?.({ phase, done: start + decoded.length, total: count, unit: 'images' })
  }
  const labels = labelsFrom(
    examples.map(({ label }) => label),
    classes,
  )
  return { split: { images, labels, count }, first: reference }
}
