/** The picture of an audit: a row of panels a metric, each number of it a panel, in it a dot a row beside the band of the floor. */
import type { Audited } from '../pipeline/audit.ts'
import { isWithin } from '../science/population.ts'
import { fixed } from '../words/numbers.ts'
import { linearScale, px } from '../words/scale.ts'
import { partTitle, rowTitle } from './audited.ts'
import { COLOURS, escaped, picture, text } from './svg.ts'

const LABELS = 130
const PANEL = { width: 230, left: 12, right: 18, top: 38, bottom: 34, line: 20 } as const

/** Without metrics that have no number. */
export function auditPicture(title: string, audited: readonly Audited[]): string {
  const shown = audited.filter(({ floor }) => floor !== null)
  const most = Math.max(1, ...shown.map(({ parts }) => Object.keys(parts).length))
  const width = LABELS + most * PANEL.width
  let y = 40
  const groups = shown.map((metric) => {
    const place = `translate(0,${y})`
    y += PANEL.top + metric.rows.length * PANEL.line + PANEL.bottom
    return `<g transform="${place}">${metricRow(metric)}</g>`
  })
  return picture(title, { width, height: y }, groups)
}

function metricRow(audited: Audited): string {
  const { title, rows, parts } = audited
  const labels = rows.map(({ row }, at) =>
    text(LABELS - 6, PANEL.top + (at + 0.5) * PANEL.line + 4, rowTitle(row), 'end'),
  )
  const panels = Object.keys(parts).map((part, at) => {
    const place = `translate(${LABELS + at * PANEL.width},0)`
    return `<g transform="${place}">${panel(audited, part)}</g>`
  })
  return [`<text x="12" y="14" font-weight="600">${escaped(title)}</text>`, ...labels, ...panels].join('')
}

function panel({ parts, floor, rows }: Audited, part: string): string {
  const { width, left, right, top, line } = PANEL
  const { low, high, mean } = floor!.parts[part]!
  const { decimals, ideal } = parts[part]!
  const bottom = top + rows.length * line
  const values = rows.flatMap(({ values }) => values?.[part] ?? [])
  const x = linearScale(Math.min(low, ...values), Math.max(high, ...values), left, width - right, 4)
  const band = `<rect x="${px(x(low))}" y="${top}" width="${px(Math.max(1, x(high) - x(low)))}" height="${bottom - top}" fill="${COLOURS.band}"><title>${escaped(`floor: ${fixed(low, decimals)} to ${fixed(high, decimals)}, mean ${fixed(mean, decimals)}`)}</title></rect>`
  const ticks = x.ticks.map(
    (tick) =>
      `<line x1="${px(x(tick))}" x2="${px(x(tick))}" y1="${top}" y2="${bottom}" stroke="${COLOURS.rule}"/>` +
      text(x(tick), bottom + 14, String(tick), 'middle'),
  )
  const dots = rows.flatMap(({ row, values }, at) => {
    const value = values?.[part]
    if (value === undefined) return []
    const within = isWithin(floor!, part, { value, ideal })
    const title = `<title>${escaped(`${rowTitle(row)}: ${fixed(value, decimals)}`)}</title>`
    const place = `cx="${px(x(value))}" cy="${px(top + (at + 0.5) * line)}"`
    return `<circle ${place} r="4.5" fill="${within ? COLOURS.dot : COLOURS.best}">${title}</circle>`
  })
  return [band, ...ticks, ...dots, text(left, top - 6, partTitle(parts[part]!), 'start')].join('')
}
