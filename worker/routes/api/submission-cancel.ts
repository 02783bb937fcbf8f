/** Cancels the unfinished runs of a submission. */
import { submissionInQueue } from '../../../schema/api/submission.ts'
import { allow } from '../../access/people.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, json, type Route } from '../../http/route.ts'
import { cancelSubmission } from '../../queries/submissions/cancel-submission.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/submissions/:id/cancel',
  tags: ['Submissions'],
  summary: 'Cancel what is left of a submission',
  description: 'Stages that other submissions need go on. Runs that ended keep their state.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId },
  responses: { 200: json(submissionInQueue, 'The submission as it is now') },
})

export const apiSubmissionCancel: Route = (app) =>
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    const keys = await cancelSubmission(c.get('db'), id, { identity: c.get('identity'), now: Date.now() })
    await Promise.all([...keys.map((key) => publish(c.env, key, { changed: true })), wakeCourier(c.env)])
    return c.json(await getSubmission(c.get('db'), id, c.get('identity'), Date.now()), 200)
  })
