/** Made-up numbers for pages to show. They exercise layout and are no results. */
import { sampleGrid } from '../../runner/tasks/generation/sample-grid.ts'
import type { Scores } from './artifacts.ts'
import type { Invention } from './fake-runner.ts'

const means: Record<string, [number, number, number, number]> = {
  retrain: [11.6, 99.4, 88.3, 17.2],
  original: [1.1, 99.3, 88.9, 3.4],
  salun: [10.2, 98.1, 87.4, 15.8],
  ft: [2.4, 99.8, 88.6, 6.1],
  ga: [4.4, 95.9, 85.2, 9.3],
}
/** UA, RA and Fréchet distance of generated images. */
const generated: Record<string, [number, number, number]> = {
  retrain: [93.2, 84.1, 21.4],
  original: [11.0, 86.9, 18.3],
  salun: [97.6, 82.2, 27.9],
  esd: [88.4, 80.3, 33.1],
  ft: [24.0, 86.1, 19.2],
  ga: [99.8, 31.5, 412.6],
}
const CLASSES = 10
const SIDE = 16

/** A blob a class, for the picture's sake; the forgotten one is noise for whom it was forgotten. */
function drawn(method: string, seed: number): { images: Uint8Array; labels: Uint8Array } {
  const labels = Uint8Array.from({ length: CLASSES * 10 }, (_, i) => i % CLASSES)
  const images = Uint8Array.from({ length: labels.length * SIDE * SIDE }, (_, at) => {
    const image = Math.floor(at / SIDE ** 2)
    const [y, x] = [Math.floor((at % SIDE ** 2) / SIDE) - 7.5, (at % SIDE) - 7.5]
    const label = labels[image]!
    const noise = Math.abs(Math.sin(at * 12.9898 + seed) * 43758.5453) % 1
    if (label === 0 && !['original', 'ft'].includes(method)) return 255 * noise
    const angle = Math.atan2(y, x) * (1 + (label % 5)) + image * 0.05
    const radius = Math.hypot(x, y) - (5 + Math.cos(angle) * (1 + label / 4))
    return Math.max(0, Math.min(255, 128 - 90 * radius + 60 * noise - (method === 'ga' ? 120 * noise : 0)))
  })
  return { images, labels }
}

const unlearning: Record<string, number> = { salun: 9.1, ft: 14.2, ga: 1.7 }

export const inventions: Invention = {
  score(method, _params, seed): Scores {
    const [ua, ra, ta, mia] = means[method] ?? [6, 97, 87, 10]
    const drift = (k: number) => Math.sin(seed * 7.3 + k * 2.1 + method.length) * 0.45
    return { ua: ua + drift(0), ra: ra + drift(1) / 3, ta: ta + drift(2), mia: mia + drift(3) * 1.7 }
  },
  seconds(method, seed) {
    if (method === 'retrain' || method === 'original') return { setUp: 1.2, train: 82 + seed }
    const unlearn = (unlearning[method] ?? 8) + seed / 10
    return method === 'salun' ? { setUp: 0.9, mask: 1.1, unlearn } : { setUp: 0.9, unlearn }
  },
  generation: {
    drawn(method) {
      const [ua, ra, fd] = generated[method] ?? [50, 70, 60]
      return { ua, ra, fd }
    },
    async picture(method, seed) {
      const png = await sampleGrid({ shape: [1, SIDE, SIDE], ...drawn(method, seed), classes: CLASSES, columns: 10 })
      return new Uint8Array(png)
    },
  },
}
