/** An admin sees all runners. */
import { runnerList } from '../../../schema/api/runner.ts'
import { allow } from '../../access/people.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { listRunners } from '../../queries/people/manage-runners.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/runners',
  tags: ['Runners'],
  summary: 'List runners',
  security: bearer,
  middleware: [allow('admin')] as const,
  responses: { 200: json(runnerList, 'In the order of their enrolment') },
})

export const apiRunnerList: Route = (app) =>
  app.openapi(route, async (c) => c.json({ runners: await listRunners(c.get('db')) }, 200))
