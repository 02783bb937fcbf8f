import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { drawGrid, type GridModel, sampleGrid } from '../../runner/tasks/generation/sample-grid.ts'

/** Grey images of 2 x 1 pixels: [10 i, 10 i + 1] for image i, of the classes given. */
const grey = (name: string, ...labels: number[]): GridModel => ({
  name,
  labels: Uint8Array.from(labels),
  images: Uint8Array.from(labels.flatMap((_, i) => [10 * i, 10 * i + 1])),
})
const rows = [
  { label: 0, name: 'shirt' },
  { label: 1, name: 'shoe' },
]
const shape = [1, 1, 2] as const

/** Red, green, blue and opacity at a place. */
const at = ({ pixels, layout }: ReturnType<typeof drawGrid>, x: number, y: number) => {
  const place = (y * layout.width + x) * 4
  return [...pixels.subarray(place, place + 4)]
}

describe('sample grids', () => {
  test('show the first samples of each class in the order of sampling', () => {
    const grid = drawGrid({ shape, rows, columns: 2, scale: 1, models: [grey('original', 1, 0, 1, 0, 0, 1)] })
    // Two images of 2 pixels and a gap of 2; two rows of 1 pixel and a gap of 2.
    expect([grid.layout.width, grid.layout.height]).toEqual([6, 4])
    expect([at(grid, 0, 0), at(grid, 1, 0)]).toEqual([
      [10, 10, 10, 255],
      [11, 11, 11, 255],
    ]) // image 1 is the first of class 0
    expect(at(grid, 4, 0)).toEqual([30, 30, 30, 255])
    expect([at(grid, 0, 3), at(grid, 4, 3)]).toEqual([
      [0, 0, 0, 255],
      [20, 20, 20, 255],
    ])
    expect([at(grid, 2, 0), at(grid, 0, 1)]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]) // gaps are transparent
  })

  test('put models beside one another, with names and places outside the picture', () => {
    const models = [grey('original', 0, 1), grey('salun', 1, 0)]
    const beside = drawGrid({ shape, rows, columns: 1, scale: 3, models })
    expect(beside.layout).toEqual({
      width: 6 + 14 + 6,
      height: 3 + 2 + 3,
      columns: 1,
      cell: { width: 6, height: 3 },
      models: [
        { name: 'original', x: 0, y: 0, width: 6, height: 8 },
        { name: 'salun', x: 20, y: 0, width: 6, height: 8 },
      ],
      rows: [
        { name: 'shirt', model: 'original', label: 0, y: 0 },
        { name: 'shoe', model: 'original', label: 1, y: 5 },
        { name: 'shirt', model: 'salun', label: 0, y: 0 },
        { name: 'shoe', model: 'salun', label: 1, y: 5 },
      ],
    })
    expect(at(beside, 20, 0)[0]).toBe(10) // the shirt of the second model is its second image
    expect([at(beside, 22, 2)[0], at(beside, 23, 2)[0]]).toEqual([10, 11]) // each pixel three times
    const stacked = drawGrid({ shape, rows, columns: 1, scale: 3, models, arrangement: 'stacked' })
    expect([stacked.layout.width, stacked.layout.height]).toEqual([6, 8 + 14 + 8])
    expect(at(stacked, 0, 22)[0]).toBe(10)
  })

  test('leave the rest of a row empty when a class has fewer samples', () => {
    const grid = drawGrid({ shape, rows, columns: 2, scale: 1, models: [grey('original', 0, 0, 1)] })
    expect([at(grid, 4, 0)[3], at(grid, 0, 3)[3], at(grid, 4, 3)[3]]).toEqual([255, 255, 0])
  })

  test('keep the colours', () => {
    const models = [{ name: 'original', images: Uint8Array.of(1, 2, 3, 4, 5, 6), labels: Uint8Array.of(0) }]
    const grid = drawGrid({ shape: [3, 2, 1], rows: rows.slice(0, 1), columns: 1, scale: 1, models })
    expect([at(grid, 0, 0), at(grid, 0, 1)]).toEqual([
      [1, 3, 5, 255],
      [2, 4, 6, 255],
    ])
  })

  test('are PNG files with the same bytes each time, and every pixel as drawn', async () => {
    const labels = Array.from({ length: 40 }, (_, i) => i % 2)
    const options = { shape, rows, models: [grey('original', ...labels), grey('retrain', ...labels)] }
    const { png, layout } = await sampleGrid(options)
    expect((await sampleGrid(options)).png).toEqual(png)
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([layout.width, layout.height, 4])
    expect(new Uint8Array(data)).toEqual(drawGrid(options).pixels)
    expect(layout.cell.width).toBe(48) // small images are enlarged
  })

  test('what does not fit is refused', () => {
    const model = grey('original', 0, 1)
    expect(() => drawGrid({ shape: [1, 2, 2], rows, models: [model] })).toThrow(
      'original: expected 2 images of [1, 2, 2], got 4 bytes',
    )
    expect(() => drawGrid({ shape: [2, 1, 1], rows, models: [model] })).toThrow('1 or 3 channels, got 2')
    expect(() => drawGrid({ shape, rows, models: [] })).toThrow('a grid needs models, rows and columns, got 0, 2 and 8')
  })
})
