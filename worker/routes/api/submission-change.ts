/** An admin changes how a submission is served. */
import { changeSubmission as request, submissionInQueue } from '../../../schema/api/submission.ts'
import { allow } from '../../access/people.ts'
import { wake } from '../../durable/dispatcher-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { changeSubmission } from '../../queries/submissions/change-submission.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'patch',
  path: '/api/v1/submissions/:id',
  tags: ['Submissions'],
  summary: 'Change the priority or the requirements of a submission',
  description: 'For admins. Requirements replace those of the benchmark for every stage that still waits.',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { params: byId, ...body(request) },
  responses: { 200: json(submissionInQueue, 'The submission as it is now') },
})

export const apiSubmissionChange: Route = (app) =>
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    await changeSubmission(c.get('db'), id, c.req.valid('json'))
    await wake(c.env)
    return c.json(await getSubmission(c.get('db'), id, c.get('identity'), Date.now()), 200)
  })
