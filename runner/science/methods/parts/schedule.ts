/** Learning rates that follow the steps. */

/** Half a cosine: 1 at the first of so many steps, falling towards 0. */
export const cosine = (step: number, steps: number): number => (1 + Math.cos((Math.PI * step) / steps)) / 2
