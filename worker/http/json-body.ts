/** Bodies in JSON, before anything reads them by its shape. */
import { createMiddleware } from 'hono/factory'
import { ApiError } from '../../schema/errors.ts'
import { oddityOf } from '../../schema/parts/plain-json.ts'
import type { AppEnv } from '../bindings/env.ts'

/** What the validator takes for JSON; it would read a body that is called otherwise as `{}`. */
const jsonType = /^application\/([a-z-.]+\+)?json(;\s*[\w-]+=[^;]+)*$/

const refused = (got: string) =>
  new ApiError('invalid_request', `expected a body with "Content-Type: application/json", got ${got}`)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ApiError('invalid_request', `expected a body of JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

/** Refuses a body that is missing, called otherwise, no JSON, or not plain. */
export const jsonBody = createMiddleware<AppEnv>(async (c, next) => {
  const type = c.req.header('content-type')
  if (!jsonType.test(type ?? '')) {
    throw refused(type === undefined ? 'no Content-Type' : `"${type.slice(0, 80)}"`)
  }
  const text = await c.req.text()
  if (text === '') throw refused('an empty body')
  const oddity = oddityOf(parsed(text))
  if (oddity !== null) throw new ApiError('invalid_request', oddity)
  await next()
})
