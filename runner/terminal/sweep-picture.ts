/** The picture of a sweep: Avg. Gap against each parameter that moved, a panel each, a row a method. A file of its own, so it brings
 *  its colours along. */

import type { Tried, Tuned } from '../pipeline/sweep.ts'
import { type Dimension, isFixed } from '../science/search.ts'
import { paramText } from '../words/command.ts'
import { decimalsFor, fixed } from '../words/numbers.ts'
import { linearScale, logScale, px, type Scale } from '../words/scale.ts'
import { COLOURS, escaped, picture, text } from './svg.ts'
import { nameOf } from './swept.ts'

const PANEL = { width: 300, height: 210, left: 46, right: 14, top: 34, bottom: 42 } as const

export function sweepPicture(title: string, tuned: readonly Tuned[]): string {
  const rows = tuned.map((each) => ({ ...each, moving: each.space.filter((dimension) => !isFixed(dimension)) }))
  const across = Math.max(1, ...rows.map(({ moving }) => moving.length))
  const [width, height] = [across * PANEL.width, 40 + rows.length * PANEL.height]
  const panels = rows.flatMap((row, down) =>
    row.moving.map((dimension, along) => {
      const place = `translate(${along * PANEL.width},${40 + down * PANEL.height})`
      return `<g transform="${place}">${panel(row, dimension)}</g>`
    }),
  )
  return picture(title, { width, height }, panels)
}

function panel({ trials, ...row }: Tuned, dimension: Dimension): string {
  const { width, height, left, right, top, bottom } = PANEL
  const gaps = trials.flatMap(({ gap }) => (gap ? [gap.mean + (gap.sd ?? 0)] : []))
  const y = linearScale(0, Math.max(0.1, ...gaps), height - bottom, top, 4)
  const x = along(dimension, left + 10, width - right - 10)
  const across = y.ticks.map(
    (tick) =>
      `<line x1="${left}" x2="${width - right}" y1="${px(y(tick))}" y2="${px(y(tick))}" stroke="${COLOURS.rule}"/>` +
      (gaps.length > 0 ? text(left - 6, y(tick) + 4, number(tick), 'end') : ''),
  )
  const below = x.ticks.map(({ at, words }) => text(at, height - bottom + 16, words, 'middle'))
  const marks = trials
    .map((trial, place) => mark(trial, x.of(trial.choice[dimension.name]), y, place === 0))
    .toReversed()
  return [
    `<text x="${left}" y="${top - 14}" ><tspan font-weight="600">${escaped(nameOf(row))}</tspan> <tspan fill="${COLOURS.soft}">Avg. Gap</tspan></text>`,
    ...across,
    ...below,
    text((left + width - right) / 2, height - bottom + 34, dimension.name, 'middle'),
    ...marks,
  ].join('')
}

/** A trial that came to nothing is a cross at the top. Null where the parameter did not act in it. */
function mark({ gap, variant, error }: Tried, at: number | null, y: Scale, isBest: boolean): string {
  if (at === null) return ''
  const x = px(at)
  if (!gap) {
    const top = PANEL.top
    const title = `<title>${escaped(`${variant}: ${error}`)}</title>`
    return `<path d="M${x - 4} ${top - 4}l8 8m0 -8l-8 8" stroke="${COLOURS.soft}" stroke-width="1.5">${title}</path>`
  }
  const { mean, sd } = gap
  const [colour, radius] = isBest ? [COLOURS.best, 5] : [COLOURS.dot, 3.5]
  const [low, high] = [Math.max(0, mean - (sd ?? 0)), mean + (sd ?? 0)]
  const spread = sd ? `<line x1="${x}" x2="${x}" y1="${px(y(low))}" y2="${px(y(high))}" stroke="${colour}"/>` : ''
  const title = `<title>${escaped(`${variant}: ${fixed(mean)}`)}</title>`
  return `${spread}<circle cx="${x}" cy="${px(y(mean))}" r="${radius}" fill="${colour}">${title}</circle>`
}

interface Along {
  ticks: { at: number; words: string }[]
  of(value: unknown): number | null
}

/** Numbers on a scale of their own, by logarithms where they were drawn so; other values side by side. */
function along(dimension: Dimension, from: number, to: number): Along {
  if (dimension.kind === 'values' && !dimension.values.every((value) => typeof value === 'number')) {
    const { values } = dimension
    const place = (index: number) => from + ((index + 0.5) / values.length) * (to - from)
    return {
      ticks: values.map((value, index) => ({ at: place(index), words: paramText(value) })),
      of(value) {
        const index = values.findIndex((one) => paramText(one) === paramText(value))
        return value === undefined ? null : place(index)
      },
    }
  }
  const ends = dimension.kind === 'range' ? [dimension.low, dimension.high] : (dimension.values as number[])
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const byLogarithm = dimension.kind === 'range' ? dimension.scale === 'log' : low > 0 && high / low >= 10
  const scale = byLogarithm ? logScale(low, high, from, to) : linearScale(low, high, from, to, 4)
  const shown = scale.ticks.filter(
    (_, index) => scale.ticks.length <= 6 || index % Math.ceil(scale.ticks.length / 6) === 0,
  )
  return {
    ticks: shown.map((tick) => ({ at: scale(tick), words: number(tick) })),
    of: (value) => (typeof value === 'number' ? scale(value) : null),
  }
}

const number = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(0) : fixed(value, decimalsFor(value, 1))
