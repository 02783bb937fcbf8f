/** The picture of generated images, pixel by pixel. */
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { drawGrid, sampleGrid } from '../../runner/tasks/generation/sample-grid.ts'

/** Grey images of 1 x 48 pixels, so that none is enlarged: [10 i, 10 i, ..., 10 i + 1] for image i, of the classes given. */
const WIDE = 48
const grey = (...labels: number[]) => ({
  shape: [1, 1, WIDE] as const,
  labels: Uint8Array.from(labels),
  images: Uint8Array.from(labels.flatMap((_, i) => [...Array<number>(WIDE - 1).fill(10 * i), 10 * i + 1])),
  classes: 2,
})

/** Red, green, blue and opacity at a place. */
const at = ({ pixels, width }: ReturnType<typeof drawGrid>, x: number, y: number) => [
  ...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4),
]

describe('sample grids', () => {
  test('show the first samples of each class in the order of sampling', () => {
    const grid = drawGrid({ ...grey(1, 0, 1, 0, 0, 1), columns: 2 })
    // Two images of 48 pixels and a gap of 2; two rows of 1 pixel and a gap of 2.
    expect([grid.width, grid.height]).toEqual([98, 4])
    // Images 1 and 3 are the first of class 0, images 0 and 2 those of class 1.
    expect([at(grid, 0, 0), at(grid, 47, 0), at(grid, 50, 0)]).toEqual([
      [10, 10, 10, 255],
      [11, 11, 11, 255],
      [30, 30, 30, 255],
    ])
    expect([at(grid, 0, 3), at(grid, 50, 3)]).toEqual([
      [0, 0, 0, 255],
      [20, 20, 20, 255],
    ])
    // Gaps are transparent.
    expect([at(grid, 48, 0), at(grid, 0, 1)]).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ])
  })

  test('leave the rest of a row empty when a class has fewer samples', () => {
    const grid = drawGrid({ ...grey(0, 0, 1), columns: 2 })
    expect([at(grid, 50, 0)[3], at(grid, 0, 3)[3], at(grid, 50, 3)[3]]).toEqual([255, 255, 0])
  })

  test('enlarge small images and keep their colours', () => {
    // [3, 2, 1]: each of two pixels becomes 24 x 24
    const images = Uint8Array.of(1, 2, 3, 4, 5, 6)
    const grid = drawGrid({ shape: [3, 2, 1], images, labels: Uint8Array.of(0), classes: 1, columns: 1 })
    expect([grid.width, grid.height]).toEqual([24, 48])
    expect([at(grid, 0, 0), at(grid, 23, 23), at(grid, 0, 24)]).toEqual([
      [1, 3, 5, 255],
      [1, 3, 5, 255],
      [2, 4, 6, 255],
    ])
  })

  test('are PNG files with the same bytes each time, and every pixel as drawn', async () => {
    const options = { ...grey(...Array.from({ length: 40 }, (_, i) => i % 2)), columns: 8 }
    const png = await sampleGrid(options)
    expect(await sampleGrid(options)).toEqual(png)
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    const drawn = drawGrid(options)
    expect([info.width, info.height, info.channels]).toEqual([drawn.width, drawn.height, 4])
    expect(new Uint8Array(data)).toEqual(drawn.pixels)
  })

  test('what does not fit is refused', () => {
    const options = { ...grey(0, 1), columns: 2 }
    expect(() => drawGrid({ ...options, shape: [1, 2, 2] })).toThrow('expected 2 images of [1, 2, 2], got 96 bytes')
    expect(() => drawGrid({ ...options, shape: [2, 1, 1] })).toThrow('1 or 3 channels, got 2')
  })
})
