/** Middleware, errors, then every route. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { ApiError, errorBodyOf } from '../schema/errors.ts'
import { describeIssues } from '../schema/issues.ts'
import { HEADER, header } from '../schema/protocol/version.ts'
import { databaseOf } from './bindings/database.ts'
import type { App, AppEnv } from './bindings/env.ts'
import { limits, readLimit } from './http/limits.ts'
import { knowOwnBenchmarks } from './queries/benchmarks/known.ts'
import * as api from './routes/api/index.ts'
import * as pages from './routes/pages/index.ts'
import { errorPage } from './views/error-page.tsx'

export const app: App = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (result.success) return
    const part = result.target === 'json' ? [] : [result.target]
    // The hook is handed what came as `data`; its type says so for valid requests only.
    throw new ApiError('invalid_request', describeIssues(result.error, (result as { data?: unknown }).data, part))
  },
})

/** What runners ask all the time, and what reads no database: none of it looks a benchmark up but in queries that see to that
 *  themselves. */
const NO_BENCHMARKS =
  /^\/(health|style\.css|docs\/api|api\/v1\/(openapi\.json|server-key|(jobs|artifacts|runners|methods)(\/.*)?))$/

app.use(requestId())
app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      frameAncestors: ["'none'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
    },
  }),
)
app.use(async (c, next) => {
  c.set('db', databaseOf(c.env.DB))
  await next()
  // A runner whose clock is wrong signs by this one.
  c.header('date', new Date().toUTCString())
  c.header(HEADER, header)
})
app.use(readLimit)
app.use(async (c, next) => {
  if (!NO_BENCHMARKS.test(c.req.path)) await knowOwnBenchmarks(c.get('db'))
  await next()
})
app.use('/api/*', limits)

app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
for (const route of [...Object.values(api), ...Object.values(pages)]) route(app)

/** All that anything here answers to; what answers GET answers HEAD. */
const methods = new Set(['GET', 'HEAD', ...app.routes.map(({ method }) => method).filter((method) => method !== 'ALL')])

/** Methods that have a route at this address; what is for all methods is middleware. Where an address has routes of its own, as in
 *  `/runners/enrol`, those with a parameter in its place don't count, just as in OpenAPI. */
function allowedAt(path: string): string[] {
  const found = [...methods].flatMap((method) => {
    const asked = method === 'HEAD' ? 'GET' : method
    const routes = app.router.match(asked, path)[0].filter(([[, route]]) => route.method === asked)
    return routes.map(([[, route]]) => ({ method, own: route.path === path }))
  })
  const own = found.filter((each) => each.own)
  return [...new Set((own.length > 0 ? own : found).map(({ method }) => method))]
}

app.notFound((c) => {
  const { method, path } = c.req
  const allowed = allowedAt(path)
  if (allowed.length > 0) {
    const words = `expected ${allowed.join(' or ')} at this address, got ${method}`
    throw new ApiError('method_not_allowed', words, { allow: allowed })
  }
  if (!methods.has(method)) {
    throw new ApiError('not_implemented', `expected one of ${[...methods].join(', ')}, got ${method}`)
  }
  throw new ApiError('not_found', 'nothing is at this address')
})

app.onError((thrown, c) => {
  const error = asApiError(thrown)
  const id = c.get('requestId') ?? ''
  if (error.code === 'internal') console.error(id, thrown)
  if (error.status === 429) c.header('retry-after', String(error.details?.retryAfterSeconds ?? 60))
  if (error.details?.allow) c.header('allow', (error.details.allow as string[]).join(', '))
  const { method, path } = c.req
  // Whoever looks at pages reads: what else comes is a program's.
  const isPage = (method === 'GET' || method === 'HEAD') && !path.startsWith('/api/') && path !== '/health'
  if (!isPage) return c.json(errorBodyOf(error, id), error.status)
  return c.html(errorPage(error, id), error.status)
})

function asApiError(error: Error): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof HTTPException && error.status < 500) return new ApiError('invalid_request', error.message)
  return new ApiError('internal', 'something broke on our side; the request id helps to find out what')
}
