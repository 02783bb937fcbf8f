/** The OpenAPI 3.1 document, made from the routes themselves. */
import type { App } from '../bindings/env.ts'

export const openApiDocument = (app: App) =>
  app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Palimpsest',
      version: '1',
      description:
        'An open benchmark for machine unlearning. Reading needs no token; submitting and running need `Authorization: Bearer pal_...`. Errors are `{ error: { code, message, requestId } }`.',
      license: { name: 'MIT' },
    },
  })
