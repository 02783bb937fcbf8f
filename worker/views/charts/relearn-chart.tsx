/** Accuracy on D_f while a model learns it again, beside retrain's. */
import { linearScale, px } from '../../../runner/words/scale.ts'
import { decimal } from '../numbers.ts'
import { Scroll } from '../scroll.tsx'
import { AxisTitle, TicksBelow, TicksBeside } from './axes.tsx'
import { Chart } from './chart.tsx'
import { markOf } from './marks.ts'

interface Point {
  step: number
  /** How many are right, of D_f and of as many test images. */
  forget: number
  test: number
}

interface Curves {
  own: Point[]
  retrain: Point[] | null
  images: number
}

interface Line {
  name: string
  /** In percent. */
  values: { step: number; value: number }[]
  stroke: string
  dashed: boolean
}

function linesOf({ own, retrain, images }: Curves, { title, method }: { title: string; method: string }): Line[] {
  const line = (name: string, points: Point[], of: 'forget' | 'test', stroke: string): Line => ({
    name: `${name}, ${of === 'forget' ? 'D_f' : 'test images'}`,
    values: points.map((point) => ({ step: point.step, value: (100 * point[of]) / images })),
    stroke,
    dashed: of === 'test',
  })
  const both = (name: string, points: Point[], stroke: string) =>
    (['forget', 'test'] as const).map((of) => line(name, points, of, stroke))
  return [...both(title, own, markOf(method).colour), ...(retrain ? both('Retrain', retrain, 'var(--muted)') : [])]
}

const Draw = ({ lines, width, label }: { lines: Line[]; width: 576 | 328; label: string }) => {
  const [left, right, top, height] = [44, width - 14, 12, 260]
  const bottom = height - 44
  const last = lines[0]!.values.at(-1)!.step
  const x = linearScale(0, last, left, right, width === 328 ? 3 : 6)
  const y = linearScale(0, 100, bottom, top)
  return (
    <Chart width={width} height={height} label={label}>
      <TicksBeside y={y} left={left} right={right} zero="var(--text)" words={(tick) => `${tick}`} />
      <TicksBelow x={x} bottom={bottom} words={(tick) => `${tick}`} />
      {lines.map(({ values, stroke, dashed }) => (
        <path
          d={values.map(({ step, value }, i) => `${i === 0 ? 'M' : 'L'}${px(x(step))} ${px(y(value))}`).join('')}
          fill="none"
          stroke={stroke}
          stroke-width="2"
          stroke-dasharray={dashed ? '4 4' : undefined}
        />
      ))}
      <AxisTitle left={left} right={right} y={bottom + 38}>
        steps of training on D_f
      </AxisTitle>
    </Chart>
  )
}

/** Mean over the steps, by trapezoids. */
function areaOf({ values }: Line): number {
  const area = values.slice(1).reduce((sum, { step, value }, i) => {
    const before = values[i]!
    return sum + ((value + before.value) / 2) * (step - before.step)
  }, 0)
  return area / values.at(-1)!.step
}

export const RelearnChart = ({ curves, run }: { curves: Curves; run: { title: string; method: string } }) => {
  const lines = linesOf(curves, run)
  const [own, , retrain] = lines as [Line, Line, Line?]
  const beside = retrain ? `; retrain of the same seed ${decimal(areaOf(retrain))}%` : ''
  const claim = `While it learns D_f again, ${run.title} is right about ${decimal(areaOf(own))}% of it${beside}`
  return (
    <figure id="relearn-chart">
      <h3>{claim}</h3>
      <p class="sub">Accuracy in percent on D_f (lines) and on as many test images (dashed)</p>
      <p class="small">
        {lines
          .filter(({ dashed }) => !dashed)
          .map(({ name, stroke }) => (
            <span>
              <svg width="22" height="8" aria-hidden="true">
                <line x1="0" x2="18" y1="4" y2="4" stroke={stroke} stroke-width="3" />
              </svg>
              {name.replace(', D_f', '')}{' '}
            </span>
          ))}
      </p>
      <Draw lines={lines} width={576} label={claim} />
      <Draw lines={lines} width={328} label={claim} />
      <details>
        <summary>Relearning as a table</summary>
        <Scroll labelledBy="relearn-caption">
          <table>
            <caption id="relearn-caption">Percent right after each number of steps</caption>
            <thead>
              <tr>
                <th scope="col" class="num">
                  Steps
                </th>
                {lines.map(({ name }) => (
                  <th scope="col" class="num">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {own.values.map(({ step }, i) => (
                <tr>
                  <th scope="row" class="num">
                    {step}
                  </th>
                  {lines.map(({ values }) => (
                    <td class="num">{values[i] ? decimal(values[i].value) : ''}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  )
}
