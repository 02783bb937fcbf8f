/** Axes of charts: values with their lines or marks, and what they measure. */
import type { PropsWithChildren } from 'hono/jsx'
import { px, type Scale } from '../../../runner/words/scale.ts'

interface TicksBelowProps {
  x: Scale
  /** All of the scale's, or those that there is room for. */
  ticks?: number[]
  /** Where lines through the plot begin; without it, marks stand under the plot. */
  top?: number
  bottom: number
  words: (tick: number) => string
}

export const TicksBelow = ({ x, ticks = x.ticks, top, bottom, words }: TicksBelowProps) => {
  const [from, to, label, stroke] =
    top === undefined ? [bottom, bottom + 5, bottom + 20, 'var(--border)'] : [top, bottom, bottom + 17, 'var(--rule)']
  return (
    <>
      {ticks.map((tick) => (
        <>
          <line x1={px(x(tick))} x2={px(x(tick))} y1={from} y2={to} stroke={stroke} />
          <text class="tick" x={px(x(tick))} y={label} text-anchor="middle">
            {words(tick)}
          </text>
        </>
      ))}
    </>
  )
}

interface TicksBesideProps {
  y: Scale
  left: number
  right: number
  /** Of the line at 0. */
  zero?: string
  words: (tick: number) => string
}

export const TicksBeside = ({ y, left, right, zero = 'var(--rule)', words }: TicksBesideProps) => (
  <>
    {y.ticks.map((tick) => (
      <>
        <line x1={left} x2={right} y1={px(y(tick))} y2={px(y(tick))} stroke={tick === 0 ? zero : 'var(--rule)'} />
        <text class="tick" x={left - 8} y={px(y(tick) + 4)} text-anchor="end">
          {words(tick)}
        </text>
      </>
    ))}
  </>
)

/** The line that bars begin at. */
export const ZeroLine = ({ x, from, to }: { x: Scale; from: number; to: number }) => (
  <line x1={px(x(0))} x2={px(x(0))} y1={from} y2={to} stroke="var(--text)" stroke-width="2" />
)

/** What the axis below measures, under its middle. */
export const AxisTitle = ({
  left,
  right,
  y,
  children,
}: PropsWithChildren<{ left: number; right: number; y: number }>) => (
  <text class="tick" x={px((left + right) / 2)} y={y} text-anchor="middle">
    {children}
  </text>
)
