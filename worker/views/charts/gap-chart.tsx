/** Dot and interval: Avg. Gap of each row, with a tick for every seed. */
import { labelled } from '../../../runner/words/names.ts'
import { digitsOf, linearScale, px } from '../../../runner/words/scale.ts'
import type { BoardRow } from '../../../schema/api/board.ts'
import { decimal, intervalWords, plusMinus, rankRange } from '../numbers.ts'
import { Scroll } from '../scroll.tsx'
import { AxisTitle, TicksBelow, ZeroLine } from './axes.tsx'
import { Chart } from './chart.tsx'
import { markOf } from './marks.ts'

type Ranked = BoardRow & { avgGap: NonNullable<BoardRow['avgGap']> }

/** Widths of text at 14 px are estimated: Source Sans 3 averages 0.5 em a character. */
const short = (text: string, room: number) =>
  text.length * 7.2 > room ? `${text.slice(0, Math.floor(room / 7.2) - 1)}…` : text

interface DrawProps {
  rows: Ranked[]
  width: 576 | 328
  label: string
}

const Draw = ({ rows, width, label }: DrawProps) => {
  const narrow = width === 328
  const names = Math.min(220, Math.max(60, ...rows.map((row) => labelled(row).length * 7.2)))
  const left = narrow ? 12 : names + 14
  const right = narrow ? 12 : 118
  const rowHeight = narrow ? 46 : 30
  const top = 8
  const bottom = top + rows.length * rowHeight
  const values = rows.flatMap(({ avgGap, gapBySeed }) => [avgGap.mean + (avgGap.sd ?? 0), ...Object.values(gapBySeed)])
  const x = linearScale(0, Math.max(...values), left, width - right, narrow ? 4 : 6)
  return (
    <Chart width={width} height={bottom + 44} label={label}>
      <TicksBelow x={x} top={top} bottom={bottom} words={(tick) => decimal(tick, digitsOf(x))} />
      <ZeroLine x={x} from={top - 4} to={bottom + 4} />
      <AxisTitle left={left} right={width - right} y={bottom + 37}>
        Avg. Gap in points; retrain is 0
      </AxisTitle>
      {rows.map((row, index) => {
        const { avgGap, gapBySeed, method, rank } = row
        const y = top + index * rowHeight + (narrow ? 32 : rowHeight / 2)
        const { colour, path } = markOf(method)
        const sd = avgGap.sd ?? 0
        const value = `${decimal(avgGap.mean)}${rank ? ` · rank ${rankRange(rank)}` : ''}`
        return (
          <>
            {narrow ? (
              <>
                <text class="halo" x={left + 6} y={y - 15}>
                  {short(labelled(row), 170)}
                </text>
                <text class="tick halo" x={width - right} y={y - 15} text-anchor="end">
                  {value}
                </text>
              </>
            ) : (
              <>
                <text x={left - 14} y={y + 5} text-anchor="end">
                  {short(labelled(row), 220)}
                </text>
                <text class="tick" x={width - right + 10} y={y + 5}>
                  {value}
                </text>
              </>
            )}
            <line
              x1={px(x(Math.max(0, avgGap.mean - sd)))}
              x2={px(x(avgGap.mean + sd))}
              y1={y}
              y2={y}
              stroke={colour}
              stroke-width="3"
            />
            {Object.values(gapBySeed).map((gap) => (
              <line x1={px(x(gap))} x2={px(x(gap))} y1={y + 6} y2={y + 12} stroke="var(--muted)" />
            ))}
            <path d={path} transform={`translate(${px(x(avgGap.mean))} ${y})`} fill={colour} stroke="var(--page)" />
          </>
        )
      })}
    </Chart>
  )
}

export const GapChart = ({ rows }: { rows: BoardRow[] }) => {
  const ranked = rows.filter((row): row is Ranked => row.avgGap !== null)
  const best = ranked[0]
  if (!best) return null
  const claim =
    ranked.length === 1
      ? `${labelled(best)} is ${decimal(best.avgGap.mean)} points from retrain`
      : `${labelled(best)} has the smallest mean Avg. Gap, ${decimal(best.avgGap.mean)} points`
  return (
    <figure id="gap-chart">
      <h3>{claim}</h3>
      <p class="sub">Avg. Gap: mean distance from retrain over the metrics in it, in points</p>
      <Draw rows={ranked} width={576} label={claim} />
      <Draw rows={ranked} width={328} label={claim} />
      <figcaption>
        How to read: the mark is the mean over seeds, the bar ± one standard deviation, each tick below it the run of
        one seed. The closer to the line at 0, the harder the model is to tell from one that never saw the data.
      </figcaption>
      <details>
        <summary>Avg. Gap by seed as a table</summary>
        <Scroll labelledBy="gap-by-seed">
          <table>
            <caption id="gap-by-seed">Avg. Gap by seed, in points</caption>
            <thead>
              <tr>
                <th scope="col">Method</th>
                <th scope="col" class="num">
                  Mean
                </th>
                <th scope="col" class="num">
                  Standard deviation
                </th>
                <th scope="col" class="num">
                  95% interval
                </th>
                <th scope="col">By seed</th>
              </tr>
            </thead>
            <tbody>
              {ranked.map((row) => (
                <tr>
                  <th scope="row">{labelled(row)}</th>
                  <td class="num">{decimal(row.avgGap.mean, 3)}</td>
                  <td class="num">{plusMinus(row.avgGap.sd, 3)}</td>
                  <td class="num">{intervalWords(row.avgGap, 3)}</td>
                  <td>
                    {Object.entries(row.gapBySeed)
                      .map(([seed, gap]) => `seed ${seed}: ${decimal(gap, 3)}`)
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  )
}
