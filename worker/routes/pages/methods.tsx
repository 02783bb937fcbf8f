/** All methods as a page. */

import type { Route } from '../../http/route.ts'
import { listMethods } from '../../queries/runs/methods.ts'
import { documentOf, Page } from '../../views/layout.tsx'
import { Prose } from '../../views/prose.tsx'

export const methodsPage: Route = (app) =>
  app.get('/methods', (c) => {
    const all = listMethods()
    const groups = [
      { title: 'Unlearning', id: 'unlearning', methods: all.filter(({ trainsOn }) => trainsOn === null) },
      { title: 'References', id: 'references', methods: all.filter(({ trainsOn }) => trainsOn !== null) },
    ]
    return c.html(
      documentOf(
        <Page title="Methods" section="/methods" json="/api/v1/methods">
          <h1 style="margin-top:2rem">Methods</h1>
          <p class="lede">
            Each is one file of this repository, run as published and with the parameters that a submission names.
          </p>
          {groups.map(({ title, id, methods }) => (
            <>
              <h2 id={id}>{title}</h2>
              <dl>
                {methods.map((method) => (
                  <>
                    <dt>
                      <a href={`/methods/${method.id}`}>{method.title}</a> <code class="muted">{method.id}</code>
                    </dt>
                    <dd style="margin:0 0 1rem">
                      <Prose text={method.summary} />
                    </dd>
                  </>
                ))}
              </dl>
            </>
          ))}
        </Page>,
      ),
    )
  })
