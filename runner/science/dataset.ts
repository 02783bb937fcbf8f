/** The contract of datasets/: one dataset a file, its file name is its id. */

import type { Labels } from '../formats/labels.ts'

/** Images as bytes, channels first: [n, channels, height, width]. Row i of `images` has class `labels[i]`. */
export interface Split {
  images: Uint8Array
  labels: Labels
  count: number
}

export interface Dataset {
  channels: number
  height: number
  width: number
  /** Class names; a label is an index into them. */
  classes: string[]
  train: Split
  test: Split
  /** SHA-256 over the images and labels as loaded. */
  digest: string
}

export interface LoadOptions {
  /** Folders to look in, in order, before the cache: the user's own copy of the official files. */
  directories: string[]
  /** Folder for downloads; each file is written beside its name and renamed once its hash is right. */
  cache: string
  /** For `image-folder`: the folder with `train/<class>/*` and `test/<class>/*`; for `image-npz`: the file. */
  path?: string | undefined
  /** What pins the content; `image-folder` and `image-npz` without a path look for one of that name. */
  digest?: string | undefined
  /** Side that pictures are brought to, where the dataset `resizes`. */
  size?: number | undefined
  signal?: AbortSignal | undefined
  /** Called while downloading or decoding; `total` is 0 when unknown. */
  onProgress?: ((progress: { phase: string; done: number; total: number; unit: string }) => void) | undefined
}

export interface DatasetDefinition {
  title: string
  licence: string
  /** Where it comes from, for people. */
  source: string
  /** Per-channel mean and standard deviation of pixels in [0, 1]; the model's first layer normalises with them. */
  normalization: { mean: number[]; std: number[] }
  /** Its files are pictures, which a `size` may be given for. */
  resizes?: true
  /** Throws DatasetError when a file is missing, truncated or has the wrong hash. */
  load(options: LoadOptions): Promise<Dataset>
}

export const defineDataset = (definition: DatasetDefinition): DatasetDefinition => definition

/** A dataset file that cannot be used: says which, what was expected, what came and what to do. */
export class DatasetError extends Error {
  override name = 'DatasetError'
}

/** An image of a dataset that cannot be read. */
export class ImageError extends DatasetError {
  override name = 'ImageError'
}
