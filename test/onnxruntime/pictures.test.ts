/** Features of a folder of pictures: of any sizes, in the order of their names. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { globalAveragePool, linear } from '../../runner/engine/nn/layers.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { classifierExtractor } from '../../runner/tasks/generation/extractor.ts'
import { featuresOfPictures } from '../../runner/tasks/generation/pictures.ts'

/** Its features are the mean of each channel. */
async function meansOf(inputShape: number[]) {
  const network = networkOf(inputShape, 2, (scope, x) => linear(scope, 'fc', globalAveragePool(scope, x), 2))
  return classifierExtractor({ model: 'means', key: 'k', network, state: initialState(network, 0) })
}

test('every picture below a folder has its row, whatever its size, type and folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, 'b'))
  const picture = (path: string, [width, height]: [number, number], level: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: level, g: 0, b: 255 } } }).toFile(join(folder, path))
  await picture('c.png', [4, 4], 30)
  await picture('a.png', [9, 5], 10)
  await picture('b/x.webp', [4, 4], 20)
  await picture('d.png', [4, 4], 40)
  await writeFile(join(folder, 'Thumbs.db'), 'litter')
  const options = { directories: [], cache: folder, threads: 1, signal: new AbortController().signal }
  const features = await featuresOfPictures(folder, { ...options, extractorFor: meansOf })
  expect(features).toHaveLength(4 * 3)
  const reds = Array.from({ length: 4 }, (_, row) => Math.round(features[3 * row]! * 255))
  // WebP is lossy: red comes back within a few levels.
  for (const [row, level] of [10, 20, 30, 40].entries()) expect(Math.abs(reds[row]! - level)).toBeLessThan(4)
  expect(features[2]).toBeCloseTo(1, 1)

  await writeFile(join(folder, 'e.txt'), 'no picture')
  await expect(featuresOfPictures(folder, { ...options, extractorFor: meansOf })).rejects.toThrow(
    'e.txt: expected an image ending in .png',
  )
})
