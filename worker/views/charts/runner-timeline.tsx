/** What runners do now, as bars in time: how long since, until when by the median of stages like it, and by nine in ten. */

import { linearScale, px } from '../../../runner/words/scale.ts'
import type { RunningStage } from '../../../schema/api/queue.ts'
import { titleOf } from '../../http/catalogue.ts'
import { plural } from '../numbers.ts'
import { AxisTitle, TicksBelow, ZeroLine } from './axes.tsx'
import { Chart } from './chart.tsx'

interface Bar {
  runner: string
  what: string
  /** Minutes from now. */
  from: number
  median: number | null
  p90: number | null
}

const ROW = 46

const Draw = ({ bars, width, label }: { bars: Bar[]; width: 576 | 328; label: string }) => {
  const [left, right] = [8, width - 16]
  const top = 6
  const bottom = top + bars.length * ROW
  const x = linearScale(
    Math.min(-1, ...bars.map(({ from }) => from)),
    Math.max(1, ...bars.flatMap(({ median, p90 }) => [median ?? 0, p90 ?? 0])),
    left,
    right,
    width === 328 ? 4 : 8,
  )
  return (
    <Chart width={width} height={bottom + 44} label={label}>
      <TicksBelow x={x} top={top} bottom={bottom} words={(tick) => (tick === 0 ? 'now' : String(Math.abs(tick)))} />
      {bars.map(({ runner, what, from, median, p90 }, index) => {
        const y = top + index * ROW
        const [start, now] = [x(from), x(0)]
        return (
          <>
            <text class="halo" x={left} y={y + 16}>
              {`${runner}: ${what}`.slice(0, width === 328 ? 42 : 76)}
            </text>
            <rect x={px(start)} y={y + 22} width={px(Math.max(now - start, 2))} height={14} fill="var(--link)" />
            {median !== null && (
              <rect
                x={px(now)}
                y={y + 22.5}
                width={px(Math.max(x(median) - now, 1))}
                height={13}
                fill="var(--tint-running)"
                stroke="var(--link)"
              />
            )}
            {p90 !== null && (
              <line x1={px(now)} x2={px(x(p90))} y1={y + 29} y2={y + 29} stroke="var(--link)" stroke-width="2" />
            )}
          </>
        )
      })}
      <ZeroLine x={x} from={top} to={bottom + 4} />
      <AxisTitle left={left} right={right} y={bottom + 37}>
        minutes before and after now
      </AxisTitle>
    </Chart>
  )
}

const MOST_ROWS = 12

export const RunnerTimeline = ({ running, now }: { running: RunningStage[]; now: number }) => {
  if (running.length === 0) return null
  const minutes = (seconds: number) => seconds / 60
  const bars = running.slice(0, MOST_ROWS).map(
    ({ runner, kind, method, seed, since, remaining }): Bar => ({
      runner,
      what: `${kind}, ${titleOf(method)}, seed ${seed}`,
      from: minutes((Date.parse(since) - now) / 1000),
      median: remaining && minutes(remaining.median),
      p90: remaining && minutes(remaining.p90),
    }),
  )
  const unknown = bars.filter(({ median }) => median === null).length
  const claim = `${plural(running.length, 'stage')} ${running.length === 1 ? 'runs' : 'run'} now`
  return (
    <figure>
      <h3>{claim}</h3>
      <p class="sub">Dark: since it began. Light: the usual rest. Line: the rest that nine in ten stay within</p>
      <Draw bars={bars} width={576} label={`${claim}; the table has since when and for how long`} />
      <Draw bars={bars} width={328} label={`${claim}; the table has since when and for how long`} />
      <figcaption>
        {unknown > 0 && `No stage like ${unknown === 1 ? 'one of them' : `${unknown} of them`} has ended yet. `}
        {running.length > bars.length && `The first ${MOST_ROWS} are drawn.`}
      </figcaption>
    </figure>
  )
}
