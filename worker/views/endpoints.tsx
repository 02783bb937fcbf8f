/** The addresses of the API as a table, from its own OpenAPI document. */
import { Scroll } from './scroll.tsx'

interface Operation {
  summary?: string
  tags?: string[]
  security?: unknown[]
}

const VERBS = ['get', 'post', 'put', 'delete'] as const

export const Endpoints = ({ document }: { document: { paths?: unknown } }) => {
  const rows = Object.entries((document.paths ?? {}) as Record<string, Record<string, Operation>>).flatMap(
    ([path, verbs]) => VERBS.flatMap((verb) => (verbs[verb] ? [{ verb, path, operation: verbs[verb] }] : [])),
  )
  return (
    <Scroll labelledBy="endpoints-caption">
      <table>
        <caption id="endpoints-caption">
          Errors are {'{ "error": { "code", "message", "requestId" } }'} with a fitting status
        </caption>
        <thead>
          <tr>
            <th scope="col">Request</th>
            <th scope="col">What it does</th>
            <th scope="col">Token</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ verb, path, operation }) => (
            <tr>
              <th scope="row">
                <code>
                  {verb.toUpperCase()} {path}
                </code>
              </th>
              <td>{operation.summary}</td>
              <td>{operation.security ? 'needed' : 'none'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
