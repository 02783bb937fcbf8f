/** The OpenAPI 3.1 document, made from the routes themselves. */
import type { App } from '../bindings/env.ts'

/** JSON Schema reads a pattern with the flag u (draft 2020-12, 6.4) and writes none; the converter appends `/u`. */
const withoutFlags = (pattern: string) => pattern.replace(/\$\/u$/, '$')

export function openApiDocument(app: App): ReturnType<App['getOpenAPI31Document']> {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Palimpsest',
      version: '1',
      description:
        'An open benchmark for machine unlearning. Reading needs no token; submitting and running need `Authorization: Bearer pal_...`. Errors are `{ error: { code, message, requestId } }`.',
      license: { name: 'MIT' },
    },
  })
  const text = JSON.stringify(document)
  return JSON.parse(text, (key, value) =>
    key === 'pattern' && typeof value === 'string' ? withoutFlags(value) : value,
  )
}
