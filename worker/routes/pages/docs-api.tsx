/** The API's documentation: Swagger UI from this origin, and a plain list for readers without script. */
import { openApiDocument } from '../../http/openapi.ts'
import type { Route } from '../../http/route.ts'
import { Endpoints } from '../../views/endpoints.tsx'
import { documentOf, Page } from '../../views/layout.tsx'

export const docsApiPage: Route = (app) =>
  app.get('/docs/api', (c) =>
    c.html(
      documentOf(
        <Page
          title="API"
          section="/docs/api"
          json="/api/v1/openapi.json"
          head={
            <>
              <link rel="stylesheet" href="/swagger/swagger-ui.css" />
              <script src="/swagger/swagger-ui-bundle.js" defer />
              <script src="/api-docs.js" defer />
            </>
          }
        >
          <h1 style="margin-top:2rem">API</h1>
          <p class="lede">
            Everything on these pages is also JSON under <code>/api/v1</code>. Reading needs no token. The description
            is an <a href="/api/v1/openapi.json">OpenAPI 3.1 document</a>.
          </p>
          <details>
            <summary>All addresses in one table</summary>
            <Endpoints document={openApiDocument(app)} />
          </details>
          <div id="api" class="swagger" />
        </Page>,
      ),
    ),
  )
