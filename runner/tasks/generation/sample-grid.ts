/** The picture of a model's generated images: one row a class, the first samples of each in the order of sampling. Names stand
 *  outside it, on the page: drawn text would depend on the fonts of the machine. Between the images it is transparent. */

import { pictureLibrary } from '../../data/files/sharp.ts'
import type { Labels } from '../../formats/labels.ts'

export interface GridOptions {
  /** [c, h, w] of one image; grey or in colour. */
  shape: readonly [number, number, number]
  /** [n, c, h, w] */
  images: Uint8Array
  /** The class that each image was asked for. */
  labels: Labels
  /** Rows, from above. */
  classes: number
  /** Samples of a class. */
  columns: number
}

/** Pixels between images. */
const GAP = 2
/** Images are enlarged to about this many pixels. */
const CELL = 48

/** The picture as a PNG file; the same samples give the same bytes. */
export async function sampleGrid(options: GridOptions): Promise<Uint8Array> {
  const { pixels, width, height } = drawGrid(options)
  const png = await pictureLibrary()(pixels, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 9, adaptiveFiltering: false, palette: false })
    .toBuffer()
  return new Uint8Array(png)
}

/** The picture as red, green, blue and opacity, [height, width, 4]. A class with fewer samples than columns leaves the rest of its
 *  row empty. */
export function drawGrid({ shape: [channels, h, w], images, labels, classes, columns }: GridOptions) {
  if (channels !== 1 && channels !== 3) throw new Error(`expected images of 1 or 3 channels, got ${channels}`)
  const size = channels * h * w
  if (images.length !== labels.length * size)
    throw new Error(`expected ${labels.length} images of [${channels}, ${h}, ${w}], got ${images.length} bytes`)
  const scale = Math.max(1, Math.round(CELL / Math.max(h, w)))
  const [across, down] = [w * scale + GAP, h * scale + GAP]
  const [width, height] = [columns * across - GAP, classes * down - GAP]
  const pixels = new Uint8Array(width * height * 4)

  /** Puts an enlarged image with its upper left corner at (left, top). */
  const put = (image: Uint8Array, left: number, top: number) => {
    for (let y = 0; y < h * scale; y++) {
      for (let x = 0; x < w * scale; x++) {
        const source = Math.floor(y / scale) * w + Math.floor(x / scale)
        const target = ((top + y) * width + left + x) * 4
        for (let c = 0; c < 3; c++) pixels[target + c] = image[(channels === 3 ? c : 0) * h * w + source]!
        pixels[target + 3] = 255
      }
    }
  }

  const drawn = new Uint32Array(classes)
  for (const [i, label] of labels.entries()) {
    const column = drawn[label] ?? columns
    if (column >= columns) continue
    put(images.subarray(i * size, (i + 1) * size), column * across, label * down)
    drawn[label] = column + 1
  }
  return { pixels, width, height }
}
