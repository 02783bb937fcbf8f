/** All suites. */
import { z } from 'zod'
import { suite } from '../../../schema/api/suite.ts'
import { describeSuite, suites } from '../../http/catalogue.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/suites',
  tags: ['Suites'],
  summary: 'List suites',
  responses: { 200: json(z.strictObject({ suites: z.array(suite) }), 'All of them') },
})

export const apiSuites: Route = (app) =>
  app.openapi(route, (c) => c.json({ suites: [...suites.values()].map(describeSuite) }, 200))
