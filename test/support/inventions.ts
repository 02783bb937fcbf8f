/** Made-up numbers for pages to show. They exercise layout and are no results. */
import type { Invention, Scores } from './fake-runner.ts'

const means: Record<string, [number, number, number, number]> = {
  retrain: [11.6, 99.4, 88.3, 17.2],
  original: [1.1, 99.3, 88.9, 3.4],
  salun: [10.2, 98.1, 87.4, 15.8],
  ft: [2.4, 99.8, 88.6, 6.1],
  ga: [4.4, 95.9, 85.2, 9.3],
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
}
