/** Axes of charts: a linear and a logarithmic scale with round ticks. */

export interface Scale {
  (value: number): number
  ticks: number[]
  domain: [number, number]
}

/** From `low` to at least `high`, ending on a round tick. */
export function linearScale(low: number, high: number, from: number, to: number, about = 5): Scale {
  const span = high - low || 1
  const rough = span / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1)
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
  const domain: [number, number] = [ticks[0]!, ticks.at(-1)!]
  const scale = (value: number) => from + ((value - domain[0]) / (domain[1] - domain[0])) * (to - from)
  return Object.assign(scale, { ticks, domain })
}

/** Ticks at 1 and 3 of each decade. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const candidates = Array.from({ length: 17 }, (_, i) => i - 10).flatMap((e) => [10 ** e, 3 * 10 ** e])
  const start = candidates.findLast((tick) => tick <= low) ?? low
  const end = candidates.find((tick) => tick >= high && tick > start) ?? high
  const ticks = candidates
    .filter((tick) => tick >= start * 0.999 && tick <= end * 1.001)
    .map((tick) => Number(tick.toPrecision(6)))
  const scale = (value: number) =>
    from + ((Math.log(value) - Math.log(start)) / (Math.log(end) - Math.log(start))) * (to - from)
  return Object.assign(scale, { ticks, domain: [start, end] as [number, number] })
}

/** Decimal places that all ticks can be told apart by. */
export const digitsOf = ({ ticks }: Scale): 0 | 1 => (ticks.every(Number.isInteger) ? 0 : 1)

/** Coordinates to a tenth of a pixel. */
export const px = (value: number): number => Math.round(value * 10) / 10
