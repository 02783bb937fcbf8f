/** Pauses between tries: each twice as long as the one before, up to a limit, and never in step with other tries. */
export const jittered = (firstMs: number, failures: number, longestMs: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2)
