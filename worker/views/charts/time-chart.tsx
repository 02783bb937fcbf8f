/** Time against gap: what a method costs and how close it comes. */
import { labelled } from '../../../runner/words/names.ts'
import { digitsOf, linearScale, logScale, px } from '../../../runner/words/scale.ts'
import type { BoardRow } from '../../../schema/api/board.ts'
import { decimal, significant, times } from '../numbers.ts'
import { AxisTitle, TicksBelow, TicksBeside } from './axes.tsx'
import { Chart, Labels } from './chart.tsx'
import { markOf } from './marks.ts'

interface Point {
  name: string
  method: string
  time: number
  gap: number
}

const pointsOf = (rows: BoardRow[]): Point[] =>
  rows.flatMap(({ title, label, method, fractionOfRetrain, avgGap }) =>
    fractionOfRetrain && avgGap && fractionOfRetrain.mean > 0
      ? [{ name: labelled({ title, label }), method, time: fractionOfRetrain.mean, gap: avgGap.mean }]
      : [],
  )

/** Points that no other beats on both time and gap, by time. */
const frontOf = (points: Point[]): Point[] =>
  points
    .filter(
      (a) => !points.some((b) => b !== a && b.time <= a.time && b.gap <= a.gap && (b.time < a.time || b.gap < a.gap)),
    )
    .sort((a, b) => a.time - b.time)

const Draw = ({ points, width, label }: { points: Point[]; width: 576 | 328; label: string }) => {
  const narrow = width === 328
  const [left, right, top, height] = [48, width - 14, 14, narrow ? 330 : 360]
  const bottom = height - 50
  const x = logScale(
    Math.min(...points.map(({ time }) => time)) * 0.9,
    Math.max(1, ...points.map(({ time }) => time)),
    left,
    right,
  )
  const y = linearScale(0, Math.max(...points.map(({ gap }) => gap)) * 1.05, bottom, top)
  const marks = points.map((point) => ({ ...point, x: x(point.time), y: y(point.gap) }))
  const front = frontOf(points)
  const steps = front.map(
    ({ time, gap }, i) => `${i === 0 ? 'M' : 'H'}${px(x(time))}${i === 0 ? ' ' : 'V'}${px(y(gap))}`,
  )
  const ticks = narrow ? x.ticks.filter((_, i) => x.ticks.length < 5 || i % 2 === (x.ticks.length - 1) % 2) : x.ticks
  return (
    <Chart width={width} height={height} label={label}>
      <TicksBeside y={y} left={left} right={right} zero="var(--text)" words={(tick) => decimal(tick, digitsOf(y))} />
      <TicksBelow x={x} ticks={ticks} bottom={bottom} words={(tick) => `${significant(tick, 1)}×`} />
      <AxisTitle left={left} right={right} y={bottom + 42}>
        time as a multiple of retrain, log scale
      </AxisTitle>
      <text class="tick" x={left + 6} y={bottom - 8}>
        faster and closer: better
      </text>
      <path d={steps.join('')} fill="none" stroke="var(--muted)" stroke-width="1.5" stroke-dasharray="5 4" />
      {marks.map(({ x: cx, y: cy, method }) => {
        const { colour, path } = markOf(method)
        return <path d={path} transform={`translate(${px(cx)} ${px(cy)})`} fill={colour} stroke="var(--page)" />
      })}
      <Labels points={marks} right={right} top={top + 6} bottom={bottom - 26} />
    </Chart>
  )
}

export const TimeChart = ({ rows }: { rows: BoardRow[] }) => {
  const points = pointsOf(rows)
  if (points.length < 2) return null
  const front = frontOf(points).map(({ name }) => name)
  const claim =
    front.length === 1
      ? `${front[0]} is both fastest and closest to retrain`
      : `Nothing is both faster and closer than ${front.slice(0, -1).join(', ')} or ${front.at(-1)}`
  return (
    <figure id="time-chart">
      <h3>{claim}</h3>
      <p class="sub">Avg. Gap in points against time as a multiple of retrain on the same device</p>
      <Draw points={points} width={576} label={claim} />
      <Draw points={points} width={328} label={claim} />
      <figcaption>
        How to read: left is faster, down is closer to retrain. The dashed line joins the rows that no other beats on
        both; whether two rows are really apart is said by the rank, not by this line.
      </figcaption>
      <details>
        <summary>Time and gap as a table</summary>
        <table>
          <caption>Time as a multiple of retrain, and Avg. Gap</caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col" class="num">
                Time
              </th>
              <th scope="col" class="num">
                Avg. Gap
              </th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ name, time, gap }) => (
              <tr>
                <th scope="row">{name}</th>
                <td class="num">{times(time)}</td>
                <td class="num">{decimal(gap, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
