/** One metric of a suite: classes down, methods across, the average last, as papers print it. */
import type { Cell, Column } from '../../schema/api/board.ts'
import type { SuiteBoard } from '../../schema/api/suite.ts'
import { decimalsOf } from '../http/catalogue.ts'
import { decimal, NOT_MEASURED, plural, plusMinus, signed } from './numbers.ts'
import { Scroll } from './scroll.tsx'

interface ValueProps {
  cell: Cell | undefined
  isRetrain: boolean
  column: Column
  /** What to know of it. */
  note?: string | undefined
}

const Value = ({ cell, isRetrain, column, note }: ValueProps) => {
  if (!cell) return <td class="num muted">{isRetrain && column.ofTwo ? 'the reference' : NOT_MEASURED}</td>
  const { mean, sd, n, gap } = cell
  const digits = decimalsOf(column.id)
  const compares = column.better === 'closer-to-retrain' && !isRetrain
  return (
    <td class="num">
      <span class="mean">{decimal(mean, digits)}</span>
      {n > 1 && <span class="sd">{plusMinus(sd, digits)}</span>}
      {compares && gap !== null && <span class={gap < 0 ? 'below' : gap > 0 ? 'above' : undefined}>{signed(gap)}</span>}
      {note && <span class="sd warn">{note}</span>}
    </td>
  )
}

export const ClassTable = ({ board, column, retrain }: { board: SuiteBoard; column: Column; retrain: string }) => {
  const { suite, references, rows } = board
  const all = [...references, ...rows]
  const { title, unit, better } = column
  return (
    <Scroll labelledBy="classes-caption">
      <table class="board by-class">
        <caption id="classes-caption">
          {title}
          {unit && ` in ${unit}`},{' '}
          {better === 'closer-to-retrain' ? 'closer to retrain is better' : `${better} is better`}: mean over seeds
          {better === 'closer-to-retrain' && ', with the signed gap to retrain'}
        </caption>
        <thead>
          <tr>
            <th scope="col">Forgotten class</th>
            {all.map((row) => (
              <th scope="col" class="num">
                <a href={`/methods/${row.method}`}>{row.title}</a>
                {row.label && <span class="unit">{row.label}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {suite.classes.map(({ label, name, benchmark }) => (
            <tr>
              <th scope="row">
                <span class="muted">{label}</span> <a href={`/boards/${benchmark}`}>{name}</a>
              </th>
              {all.map((row) => (
                <Value
                  cell={row.byClass[benchmark]?.metrics[column.id]}
                  isRetrain={row.method === retrain}
                  column={column}
                />
              ))}
            </tr>
          ))}
        </tbody>
        <tbody>
          <tr>
            <th scope="row">Average</th>
            {all.map((row) => (
              <Value
                cell={row.metrics[column.id]}
                isRetrain={row.method === retrain}
                column={column}
                note={
                  row.averaged.length < suite.classes.length
                    ? `of ${plural(row.averaged.length, 'class', 'classes')}`
                    : undefined
                }
              />
            ))}
          </tr>
        </tbody>
      </table>
    </Scroll>
  )
}
