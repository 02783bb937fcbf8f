/** One submission with the states of its runs. */

import { submissionInQueue } from '../../../schema/api/submission.ts'
import { viewerOf } from '../../access/people.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/submissions/:id',
  tags: ['Submissions'],
  summary: 'Read a submission',
  request: { params: byId },
  responses: { 200: json(submissionInQueue, 'The submission') },
})

export const apiSubmission: Route = (app) =>
  app.openapi(route, async (c) =>
    c.json(await getSubmission(c.get('db'), c.req.valid('param').id, await viewerOf(c), Date.now()), 200),
  )
