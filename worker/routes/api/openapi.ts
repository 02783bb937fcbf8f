/** The API's own description. */
import { openApiDocument } from '../../http/openapi.ts'
import type { Route } from '../../http/route.ts'

export const apiOpenapi: Route = (app) => app.get('/api/v1/openapi.json', (c) => c.json(openApiDocument(app)))
