/** The two columns that order a board by places, one against the other, references among them. */
import { labelled } from '../../../runner/words/names.ts'
import { linearScale, logScale, px } from '../../../runner/words/scale.ts'
import type { BoardRow, Column, Ranking } from '../../../schema/api/board.ts'
import { decimal, significant } from '../numbers.ts'
import { AxisTitle, TicksBelow, TicksBeside } from './axes.tsx'
import { Chart, Labels } from './chart.tsx'
import { markOf } from './marks.ts'

interface Point {
  name: string
  method: string
  x: number
  y: number
  /** Retrain and original, drawn hollow. */
  reference: boolean
}

const pointsOf = (rows: BoardRow[], [across, up]: [Column, Column], reference: boolean): Point[] =>
  rows.flatMap(({ title, label, method, metrics }) => {
    const [x, y] = [metrics[across.id], metrics[up.id]]
    return x && y ? [{ name: labelled({ title, label }), method, x: x.mean, y: y.mean, reference }] : []
  })

interface DrawProps {
  points: Point[]
  columns: [Column, Column]
  width: 576 | 328
  label: string
}

/** One row of noise must not press all others together. */
const isLog = (points: Point[]): boolean => {
  const distances = points.map(({ y }) => y)
  return Math.min(...distances) > 0 && Math.max(...distances) > 10 * Math.min(...distances)
}

const withUnit = ({ title, unit, better }: Column) => `${title}${unit && ` in ${unit}`}, ${better} is better`

const Draw = ({ points, columns: [across, up], width, label }: DrawProps) => {
  const narrow = width === 328
  const [left, right, top, height] = [56, width - 16, 32, narrow ? 340 : 370]
  const bottom = height - 46
  const x = linearScale(0, Math.max(...points.map((point) => point.x)), left, right, narrow ? 4 : 5)
  const [least, most] = [Math.min(...points.map((point) => point.y)), Math.max(...points.map((point) => point.y))]
  const y = isLog(points) ? logScale(least * 0.9, most * 1.1, bottom, top) : linearScale(0, most * 1.05, bottom, top)
  const marks = points.map((point) => ({ ...point, x: x(point.x), y: y(point.y) }))
  return (
    <Chart width={width} height={height} label={label}>
      <text class="tick" x={0} y={14}>
        {withUnit(up)}
        {isLog(points) && ', log scale'}
      </text>
      <line x1={left} x2={right} y1={bottom} y2={bottom} stroke="var(--text)" />
      <TicksBeside y={y} left={left} right={right} words={(tick) => significant(tick, 2)} />
      <TicksBelow x={x} bottom={bottom} words={(tick) => decimal(tick, 0)} />
      <AxisTitle left={left} right={right} y={bottom + 40}>
        {withUnit(across)}
      </AxisTitle>
      {marks.map(({ x: cx, y: cy, method, reference }) => {
        const { colour, path } = markOf(method)
        return (
          <path
            d={path}
            transform={`translate(${px(cx)} ${px(cy)})`}
            fill={reference ? 'var(--page)' : colour}
            stroke={reference ? 'var(--text)' : 'var(--page)'}
            stroke-width={reference ? 2 : 1}
          />
        )
      })}
      <Labels points={marks} right={right} top={top + 6} bottom={bottom - 8} />
    </Chart>
  )
}

interface TradeOffProps {
  board: Ranking
  /** What the two are. */
  about?: string
  /** How to read a place in the chart. */
  reading?: string
}

export const TradeOffChart = ({ board, about, reading }: TradeOffProps) => {
  const { columns, ordering, references, rows } = board
  const [across, up] = columns.filter(({ id }) => ordering.columns.includes(id))
  if (!across || !up) return null
  const pair: [Column, Column] = [across, up]
  const ranked = pointsOf(rows, pair, false)
  const points = [...pointsOf(references, pair, true), ...ranked]
  if (ranked.length === 0 || points.length < 2) return null
  const goodness = ({ better }: Column, value: number) => (better === 'larger' ? value : -value)
  const best = (column: Column, of: (point: Point) => number) =>
    ranked.reduce((a, b) => (goodness(column, of(b)) > goodness(column, of(a)) ? b : a))
  const [forgets, keeps] = [best(across, (point) => point.x), best(up, (point) => point.y)]
  const claim =
    forgets === keeps
      ? `${forgets.name} has both the best ${across.title} and the best ${up.title}`
      : `${forgets.name} has the best ${across.title}, ${keeps.name} the best ${up.title}`
  return (
    <figure id="trade-off-chart">
      <h3>{claim}</h3>
      <p class="sub">{about ?? `${across.title} against ${up.title}`}; means over seeds</p>
      <Draw points={points} columns={pair} width={576} label={claim} />
      <Draw points={points} columns={pair} width={328} label={claim} />
      <figcaption>
        How to read:{' '}
        {reading ??
          `${across.title} grows to the right, ${across.better} is better; ${up.title} grows upwards, ${up.better} is better. Hollow marks are the references.`}
      </figcaption>
      <details>
        <summary>Both as a table</summary>
        <table>
          <caption>
            {across.title} and {up.title}
          </caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              {pair.map(({ title }) => (
                <th scope="col" class="num">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {points.map(({ name, x, y }) => (
              <tr>
                <th scope="row">{name}</th>
                <td class="num">{decimal(x, 3)}</td>
                <td class="num">{decimal(y, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
