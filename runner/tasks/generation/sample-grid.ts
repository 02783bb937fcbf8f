/** Grids of generated images: one row a class, the first samples of each in the order of sampling, for one model or several beside
 *  one another. Names stand outside the picture, in a layout that pages print beside it: drawn text would depend on the fonts of
 *  the machine. Between the images the picture is transparent. */
import sharp from 'sharp'

export interface GridModel {
  /** Such as `original`. */
  name: string
  /** [n, c, h, w] */
  images: Uint8Array
  /** The class that each image was asked for. */
  labels: Uint8Array
}

export interface GridOptions {
  /** [c, h, w] of one image; grey or in colour. */
  shape: readonly [number, number, number]
  models: GridModel[]
  /** The rows, from above: a class and its name. */
  rows: { label: number; name: string }[]
  /** Samples of a class and model. */
  columns?: number
  arrangement?: 'side-by-side' | 'stacked'
  /** Pixels of the picture along one pixel of an image. */
  scale?: number
}

/** Where things stand, in pixels of the picture. */
export interface GridLayout {
  width: number
  height: number
  columns: number
  /** Size of one image. */
  cell: { width: number; height: number }
  /** The block of each model. */
  models: { name: string; x: number; y: number; width: number; height: number }[]
  /** Each row of each block. */
  rows: { name: string; model: string; label: number; y: number }[]
}

export interface SampleGrid {
  png: Uint8Array
  layout: GridLayout
}

/** Between images, and between the blocks of models. */
const [GAP, WIDE_GAP] = [2, 14]
/** Images are enlarged to about this many pixels. */
const CELL = 48

export async function sampleGrid(options: GridOptions): Promise<SampleGrid> {
  const { pixels, layout } = drawGrid(options)
  const { width, height } = layout
  const png = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 9, adaptiveFiltering: false, palette: false })
    .toBuffer()
  return { png: new Uint8Array(png), layout }
}

/** The picture as red, green, blue and opacity, [height, width, 4]. A class with fewer samples than columns leaves the rest of its
 *  row empty. */
export function drawGrid(options: GridOptions): { pixels: Uint8Array; layout: GridLayout } {
  const { shape, models, rows, scale = scaleFor(options.shape) } = options
  const [channels, height, width] = shape
  if (channels !== 1 && channels !== 3) throw new Error(`expected images of 1 or 3 channels, got ${channels}`)
  const layout = layOut({ ...options, scale })
  const pixels = new Uint8Array(layout.width * layout.height * 4)
  const size = channels * height * width

  /** Puts an enlarged image with its upper left corner at (left, top). */
  const put = (image: Uint8Array, left: number, top: number) => {
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const source = Math.floor(y / scale) * width + Math.floor(x / scale)
        const target = ((top + y) * layout.width + left + x) * 4
        for (let c = 0; c < 3; c++) pixels[target + c] = image[(channels === 3 ? c : 0) * height * width + source]!
        pixels[target + 3] = 255
      }
    }
  }

  for (const [m, { name, images, labels }] of models.entries()) {
    if (images.length !== labels.length * size) {
      throw new Error(`${name}: expected ${labels.length} images of [${shape.join(', ')}], got ${images.length} bytes`)
    }
    const block = layout.models[m]!
    for (const [r, { label }] of rows.entries()) {
      const samples = Array.from(labels.keys()).filter((image) => labels[image] === label)
      for (const [column, image] of samples.slice(0, layout.columns).entries()) {
        const left = block.x + column * (layout.cell.width + GAP)
        put(images.subarray(image * size, (image + 1) * size), left, layout.rows[m * rows.length + r]!.y)
      }
    }
  }
  return { pixels, layout }
}

const scaleFor = ([, height, width]: GridOptions['shape']): number =>
  Math.max(1, Math.round(CELL / Math.max(height, width)))

function layOut({
  shape: [, height, width],
  models,
  rows,
  columns = 8,
  arrangement = 'side-by-side',
  scale,
}: GridOptions & { scale: number }): GridLayout {
  if (models.length === 0 || rows.length === 0 || columns < 1) {
    throw new Error(`a grid needs models, rows and columns, got ${models.length}, ${rows.length} and ${columns}`)
  }
  const cell = { width: width * scale, height: height * scale }
  const along = (count: number, extent: number, gap: number) => count * (extent + gap) - gap
  const block = { width: along(columns, cell.width, GAP), height: along(rows.length, cell.height, GAP) }
  const [across, down] = arrangement === 'stacked' ? [1, models.length] : [models.length, 1]
  const blocks = models.map(({ name }, m) => ({
    name,
    x: (across > 1 ? m : 0) * (block.width + WIDE_GAP),
    y: (down > 1 ? m : 0) * (block.height + WIDE_GAP),
    ...block,
  }))
  return {
    width: along(across, block.width, WIDE_GAP),
    height: along(down, block.height, WIDE_GAP),
    columns,
    cell,
    models: blocks,
    rows: blocks.flatMap(({ name: model, y }) =>
      rows.map(({ name, label }, r) => ({ name, model, label, y: y + r * (cell.height + GAP) })),
    ),
  }
}
