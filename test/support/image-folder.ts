/** A dataset of images in folders, so small that a network sees all of them in a moment. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** Three classes of twelve pictures each, for training and for testing. */
export async function writeImageFolder(folder: string): Promise<void> {
  for (const part of ['train', 'test'])
    for (const name of ['a', 'b', 'c']) {
      await mkdir(join(folder, part, name), { recursive: true })
      for (let image = 0; image < 12; image++) {
        const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * i * 31 + image * 7919) % 256)
        const raw = { width: 16, height: 16, channels: 3 } as const
        await sharp(pixels, { raw })
          .png()
          .toFile(join(folder, part, name, `${image}.png`))
      }
    }
}

/** The file of a benchmark on such a folder, which takes a second. */
export async function writeTinyBenchmark(folder: string, changes: Record<string, unknown> = {}): Promise<string> {
  const path = join(folder, 'benchmark.json')
  await writeImageFolder(folder)
  const benchmark = {
    slug: 'tiny',
    title: 'Tiny',
    summary: 'Three classes of twelve pictures.',
    dataset: { id: 'image-folder', path: folder },
    model: { id: 'small-cnn' },
    request: { kind: 'random', fraction: 0.1 },
    training: {
      epochs: 2,
      batchSize: 16,
      learningRate: 0.05,
      schedule: { kind: 'cosine' },
      optimizer: { kind: 'sgd' },
      augment: false,
    },
    metrics: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
    seeds: [0],
  }
  await writeFile(path, JSON.stringify({ ...benchmark, ...changes }))
  return path
}
