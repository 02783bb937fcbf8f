/** Signed gap to retrain for each metric of one run, as bars on one scale. */

import { digitsOf, linearScale, px } from '../../../runner/words/scale.ts'
import type { RunMetric } from '../../../schema/api/run.ts'
import { decimal, signed } from '../numbers.ts'
import { AxisTitle, TicksBelow, ZeroLine } from './axes.tsx'
import { Chart } from './chart.tsx'

type WithGap = RunMetric & { gap: number }

const Draw = ({ metrics, width, label }: { metrics: WithGap[]; width: 576 | 328; label: string }) => {
  const narrow = width === 328
  const longest = Math.max(...metrics.map(({ title }) => title.length))
  const [left, right] = [Math.max(narrow ? 52 : 64, 18 + 8 * longest), width - (narrow ? 20 : 24)]
  const rowHeight = 34
  const top = 8
  const bottom = top + metrics.length * rowHeight
  const reach = Math.max(...metrics.map(({ gap }) => Math.abs(gap)), 0.5) * 1.25
  const x = linearScale(-reach, reach, left, right, narrow ? 3 : 6)
  return (
    <Chart width={width} height={bottom + 44} label={label}>
      <TicksBelow x={x} top={top} bottom={bottom} words={(tick) => signed(tick, digitsOf(x))} />
      {metrics.map(({ title, gap }, index) => {
        const y = top + index * rowHeight + rowHeight / 2
        const [from, to] = [Math.min(x(0), x(gap)), Math.max(x(0), x(gap))]
        // The value stands beyond the bar's end, or inside the other half where there is no room.
        const beyond = gap < 0 ? x(gap) - 6 : x(gap) + 6
        const room = gap < 0 ? beyond - left > 44 : right - beyond > 44
        return (
          <>
            <text x={left - 10} y={y + 5} text-anchor="end">
              {title}
            </text>
            <rect
              x={px(from)}
              y={y - 8}
              width={px(Math.max(to - from, 1))}
              height={16}
              fill={gap < 0 ? 'var(--below)' : 'var(--above)'}
            />
            <text
              class="halo"
              x={px(room ? beyond : x(0) + (gap < 0 ? 6 : -6))}
              y={y + 5}
              text-anchor={room === gap < 0 ? 'end' : 'start'}
            >
              {signed(gap)}
            </text>
          </>
        )
      })}
      <ZeroLine x={x} from={top - 4} to={bottom + 4} />
      <AxisTitle left={left} right={right} y={bottom + 37}>
        points from retrain with the same seed
      </AxisTitle>
    </Chart>
  )
}

export const GapBars = ({ metrics }: { metrics: RunMetric[] }) => {
  const drawn = metrics.filter((metric): metric is WithGap => metric.gap !== null)
  if (drawn.length === 0) return null
  const widest = drawn.reduce((a, b) => (Math.abs(b.gap) > Math.abs(a.gap) ? b : a))
  const claim =
    widest.gap === 0
      ? 'Every metric equals that of retrain'
      : `${widest.title} is farthest from retrain, ${decimal(Math.abs(widest.gap))} points ${widest.gap < 0 ? 'below' : 'above'}`
  return (
    <figure>
      <h3>{claim}</h3>
      <p class="sub">Gap: value of this run minus retrain, in points</p>
      <Draw metrics={drawn} width={576} label={claim} />
      <Draw metrics={drawn} width={328} label={claim} />
      <figcaption>
        How to read: a bar to the left is below retrain, to the right above it. The table has the numbers.
      </figcaption>
    </figure>
  )
}
