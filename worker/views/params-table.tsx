/** The parameters a method takes, read from their JSON Schema. */
import { parametersIn } from '../../runner/science/parameters.ts'
import { paramText } from '../../runner/words/command.ts'
import { Prose } from './prose.tsx'
import { Scroll } from './scroll.tsx'

export const ParamsTable = ({
  title,
  params,
  id,
  about,
}: {
  title: string
  /** Their JSON Schema. */
  params: Record<string, unknown>
  id: string
  /** Tells apart what the parameters are for, where there are several such tables. */
  about?: string
}) => {
  const rows = parametersIn(params)
  if (rows.length === 0) return <p>{title} takes no parameters: it follows the benchmark's training recipe.</p>
  return (
    <Scroll labelledBy={id}>
      <table>
        <caption id={id}>
          {about ? `${about}: a` : 'A'} benchmark may preset other values at its scale; a submission's own values win
        </caption>
        <thead>
          <tr>
            <th scope="col">Parameter</th>
            <th scope="col">Default</th>
            <th scope="col">Type and range</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, type, range, default: value, description }) => (
            <tr>
              <th scope="row">
                <code>{name}</code>
                {description && (
                  <div class="small">
                    <Prose text={description} />
                  </div>
                )}
              </th>
              <td class="value">{value === undefined ? 'must be given' : <code>{paramText(value)}</code>}</td>
              <td>{[type, range].filter(Boolean).join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
