/** One metric of a suite as a strip of shades a method: one cell a class, the darker the larger. */
import { labelled } from '../../../runner/words/names.ts'
import { px } from '../../../runner/words/scale.ts'
import type { Column } from '../../../schema/api/board.ts'
import type { SuiteBoard } from '../../../schema/api/suite.ts'
import { decimal } from '../numbers.ts'
import { Chart } from './chart.tsx'

interface Strip {
  name: string
  /** By class; null where nothing was measured. */
  values: (number | null)[]
}

interface DrawProps {
  strips: Strip[]
  /** Value of the darkest shade. */
  most: number
  labels: number[]
  width: 576 | 328
  label: string
}

const HEAD = 20
const CELL_HEIGHT = 28
/** Beside the strip where there is room, else above it. */
const NAME_WIDTH = 176
/** Text stays readable on the darkest shade, in both themes. */
const DARKEST = 0.4

const Draw = ({ strips, most, labels, width, label }: DrawProps) => {
  const narrow = width === 328
  const left = narrow ? 0 : NAME_WIDTH
  const cell = (width - left) / labels.length
  const rowHeight = CELL_HEIGHT + (narrow ? 24 : 4)
  return (
    <Chart width={width} height={HEAD + strips.length * rowHeight} label={label}>
      {labels.map((name, i) => (
        <text class="tick" x={px(left + (i + 0.5) * cell)} y={13} text-anchor="middle">
          {name}
        </text>
      ))}
      {strips.map(({ name, values }, row) => {
        const top = HEAD + row * rowHeight + (narrow ? 20 : 0)
        return (
          <>
            <text x={0} y={narrow ? top - 5 : top + 19}>
              {name}
            </text>
            {values.map((value, i) => (
              <>
                <rect
                  x={px(left + i * cell + 0.5)}
                  y={top}
                  width={px(cell - 1)}
                  height={CELL_HEIGHT}
                  fill={value === null ? 'none' : 'var(--link)'}
                  fill-opacity={value === null ? 1 : px((10 * DARKEST * Math.max(0, value)) / most) / 10}
                  stroke="var(--rule)"
                />
                {value !== null && (
                  <text class="cell" x={px(left + (i + 0.5) * cell)} y={top + 19} text-anchor="middle">
                    {decimal(value, 0)}
                  </text>
                )}
              </>
            ))}
          </>
        )
      })}
    </Chart>
  )
}

export const HeatChart = ({ board, column }: { board: SuiteBoard; column: Column }) => {
  const { classes } = board.suite
  const strips = [...board.references, ...board.rows].flatMap((row): Strip[] => {
    const values = classes.map(({ benchmark }) => row.byClass[benchmark]?.metrics[column.id]?.mean ?? null)
    return values.some((value) => value !== null) ? [{ name: labelled(row), values }] : []
  })
  const measured = strips.flatMap(({ values }) => values.filter((value) => value !== null))
  if (measured.length === 0) return null
  const most = column.unit === '%' ? 100 : Math.max(...measured, Number.EPSILON)
  const range = ({ name, values }: Strip) => {
    const found = values.filter((value) => value !== null)
    return `${name} from ${decimal(Math.min(...found), 0)} to ${decimal(Math.max(...found), 0)}`
  }
  const label = `${column.title} by forgotten class: ${strips.map(range).join('; ')}.`
  const shared = { strips, most, labels: classes.map((each) => each.label), label }
  return (
    <figure>
      <h3>{column.title} at a glance</h3>
      <p class="sub">
        One cell for each forgotten class, darker for larger values, {column.unit && `in ${column.unit}, `}from 0 to{' '}
        {decimal(most, 0)}
      </p>
      <Draw {...shared} width={576} />
      <Draw {...shared} width={328} />
      <figcaption>An empty cell was not measured. The table below names the classes and has all digits.</figcaption>
    </figure>
  )
}
