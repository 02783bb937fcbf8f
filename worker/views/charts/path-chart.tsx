/** The path to retrain: how far each metric of one run is from there, from the original through every pass to the result. */
import { metricOf } from '../../../runner/science/catalogue/catalogue.ts'
import { type PointBesideRetrain, passWords } from '../../../runner/science/path.ts'
import { digitsOf, linearScale, px, type Scale } from '../../../runner/words/scale.ts'
import { decimal, signed } from '../numbers.ts'
import { Scroll } from '../scroll.tsx'
import { AxisTitle, TicksBelow, TicksBeside } from './axes.tsx'
import { Chart } from './chart.tsx'
import { markAt } from './marks.ts'

interface Line {
  name: string
  /** Null for the mean over all, which stands out. */
  mark: { colour: string; path: string } | null
  values: (number | undefined)[]
}

interface PathChartProps {
  metrics: string[]
  points: PointBesideRetrain[]
}

const titleOf = (id: string) => metricOf(id)?.title ?? id

/** How the mean is drawn. */
const MEAN = { stroke: 'var(--text)', 'stroke-width': '3', 'stroke-dasharray': '7 4' }

/** More than so many marks on a line would hide it. */
const MOST_MARKS = 30

function linesOf({ metrics, points }: PathChartProps): Line[] {
  const mean = points.map(({ meanGap }) => meanGap ?? undefined)
  const lines = metrics.map(
    (id, index): Line => ({ name: titleOf(id), mark: markAt(index), values: points.map(({ gaps }) => gaps[id]) }),
  )
  return [...lines, { name: 'mean |gap|', mark: null, values: mean }].filter(({ values }) => values[0] !== undefined)
}

const Draw = ({
  lines,
  points,
  width,
  label,
}: Pick<PathChartProps, 'points'> & { lines: Line[]; width: 576 | 328; label: string }) => {
  const narrow = width === 328
  const [left, right, top, height] = [48, width - 14, 36, narrow ? 320 : 360]
  const bottom = height - 50
  const all = lines.flatMap(({ values }) => values.map((value) => value!))
  const y = linearScale(Math.min(0, ...all), Math.max(0, ...all), bottom, top, 6)
  const last = points.length - 1
  const x = linearScale(0, Math.max(1, last), left, right, Math.min(Math.max(1, last), narrow ? 5 : 10))
  const ticks = x.ticks.filter((tick) => tick <= last)
  return (
    <Chart width={width} height={height} label={label}>
      <TicksBeside
        y={y}
        left={left}
        right={px(x(last))}
        zero="var(--text)"
        words={(tick) => signed(tick, digitsOf(y))}
      />
      <TicksBelow x={x} ticks={ticks} bottom={bottom} words={(tick) => passWords(points[tick]!)} />
      <AxisTitle left={left} right={right} y={bottom + 42}>
        epoch; retrain is the line at 0
      </AxisTitle>
      {lines.map((line) => (
        <Curve line={line} x={x} y={y} />
      ))}
      <Key lines={lines} left={narrow ? 10 : left} />
    </Chart>
  )
}

/** Above the plot: lines that end near one another leave no room for their names. */
const Key = ({ lines, left }: { lines: Line[]; left: number }) => {
  let at = left
  return (
    <>
      {lines.map(({ name, mark }) => {
        const from = at
        at += 35 + 7.2 * name.length
        return (
          <>
            {mark ? (
              <path d={mark.path} transform={`translate(${px(from + 6)} 10)`} fill={mark.colour} />
            ) : (
              <path d={`M${px(from - 8)} 10h20`} {...MEAN} fill="none" />
            )}
            <text x={px(from + 18)} y={15}>
              {name}
            </text>
          </>
        )
      })}
    </>
  )
}

const Curve = ({ line: { mark, values }, x, y }: { line: Line; x: Scale; y: Scale }) => {
  const corners = values.map((value, pass) => `${px(x(pass))} ${px(y(value!))}`)
  return (
    <>
      <path
        d={`M${corners.join('L')}`}
        fill="none"
        {...(mark ? { stroke: mark.colour, 'stroke-width': '1.5' } : MEAN)}
      />
      {mark &&
        values.length <= MOST_MARKS &&
        values.map((value, pass) => (
          <path
            d={mark.path}
            transform={`translate(${px(x(pass))} ${px(y(value!))}) scale(0.7)`}
            fill={mark.colour}
            stroke="var(--page)"
          />
        ))}
    </>
  )
}

const PathTable = ({ metrics, points }: PathChartProps) => (
  <Scroll labelledBy="path-caption">
    <table>
      <caption id="path-caption">Each metric along the way, in parentheses its gap to retrain</caption>
      <thead>
        <tr>
          <th scope="col">Epoch</th>
          {metrics.map((id) => (
            <th scope="col" class="num">
              {titleOf(id)}
            </th>
          ))}
          <th scope="col" class="num">
            Mean |gap|
          </th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr>
            <th scope="row">{passWords(point)}</th>
            {metrics.map((id) => (
              <td class="num">
                {decimal(point.values[id]!)}
                {point.gaps[id] !== undefined && <span class="muted"> ({signed(point.gaps[id])})</span>}
              </td>
            ))}
            <td class="num">{point.meanGap === null ? 'no retrain yet' : decimal(point.meanGap)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

/** Says where the run came from, where it ended, and whether it was closer on the way. */
function claimOf(points: PointBesideRetrain[]): string {
  const gaps = points.map(({ meanGap }) => meanGap)
  if (gaps.some((gap) => gap === null)) return 'Metrics along the way'
  const [first, last] = [gaps[0]!, gaps.at(-1)!]
  const closest = points.reduce((best, point) => (point.meanGap! < best.meanGap! ? point : best))
  const way = `The mean gap goes from ${decimal(first)} to ${decimal(last)} points`
  if (closest.meanGap! >= last) return way
  const where = closest.pass === 0 ? 'the original is closer' : `epoch ${passWords(closest)} is closer`
  return `${way}; ${where}${closest.pass === 0 ? '' : `, ${decimal(closest.meanGap!)}`}`
}

export const PathChart = ({ metrics, points }: PathChartProps) => {
  const lines = linesOf({ metrics, points })
  const claim = claimOf(points)
  return (
    <figure id="path-chart">
      <h3>{claim}</h3>
      <p class="sub">Gap of each metric to retrain with the same seed, in points, after every epoch</p>
      {lines.length > 0 ? (
        <>
          <Draw lines={lines} points={points} width={576} label={claim} />
          <Draw lines={lines} points={points} width={328} label={claim} />
        </>
      ) : (
        <p class="muted">The path is drawn when retrain of this seed is measured.</p>
      )}
      <figcaption>
        How to read: epoch 0 is the original, each run of an optimizer one more, mostly a pass over its data; <q>end</q>{' '}
        is what the method made of the weights after that. The dashed line is the mean distance over all metrics.
        Looking takes none of the time that counts.
      </figcaption>
      <details>
        <summary>The path as a table</summary>
        <PathTable metrics={metrics} points={points} />
      </details>
    </figure>
  )
}
