/** A folder of pictures that a classifier can tell apart: each class has its own pattern, each picture its own shift. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

/** Classes are called a, b, c and so on, in train and in test. */
export async function drawImages(
  path: string,
  { classes, perClass, side }: { classes: number; perClass: number; side: number },
): Promise<void> {
  const raw = { width: side, height: side, channels: 3 } as const
  for (const part of ['train', 'test'])
    for (let label = 0; label < classes; label++) {
      const folder = join(path, part, String.fromCharCode(97 + label))
      await mkdir(folder, { recursive: true })
      for (let image = 0; image < perClass; image++) {
        const pixels = Uint8Array.from(
          { length: side * side * 3 },
          (_, i) => (i * (label + 3) * 31 + image * 7919) % 256,
        )
        await sharp(pixels, { raw })
          .png()
          .toFile(join(folder, `${image}.png`))
      }
    }
}
