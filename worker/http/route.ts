/** The contract of routes/: one route a file. A file exports a function that adds its route to the app. Paths never overlap,
 *  since routes are added in alphabetical order of their files. */
import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { z } from 'zod'
import { errorBody } from '../../schema/errors.ts'
import type { App } from '../bindings/env.ts'
import { jsonBody } from './json-body.ts'

export type Route = (app: App) => unknown

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** A request body in JSON; `{}` where nothing needs to be said. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  body: { required: true, content: { 'application/json': { schema } } },
})

/** What every route that needs a token says of it. */
export const bearer = [{ bearer: [] }]

/** Statuses with which any route may refuse. */
const refusals = {
  400: 'The request is malformed',
  401: 'The token is missing, unknown or no longer good',
  403: 'The token may not do this',
  404: 'There is no such thing, or it is not yours to see',
  429: 'Too much was read or created within a short time',
}
/** And those that only writes have. */
const refusedWrites = {
  409: 'It conflicts with what is there',
  410: 'It is closed for good',
  413: 'The body is too large',
  415: 'The body has a Content-Encoding',
  422: 'The content is not what it says it is',
}

/** An API route: createRoute with `:param` paths, the errors filled in, and bodies looked at before their shape is. */
export function apiRoute<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(config: R): R {
  // OpenAPI writes `/jobs/:key/log` as `/jobs/{key}/log`; the type keeps the first form, which is what hono's types read.
  const path = config.path.replace(/:(\w+)/g, '{$1}')
  const known = { ...refusals, ...(config.method === 'get' ? {} : refusedWrites), '5XX': 'Something broke on our side' }
  const errors = Object.entries(known).map(([status, words]) => [status, json(errorBody, words)])
  const responses = { ...Object.fromEntries(errors), ...config.responses }
  const middleware = [config.middleware ?? [], config.request?.body ? jsonBody : []].flat()
  return createRoute({ ...(config as RouteConfig), path, middleware, responses }) as unknown as R
}
