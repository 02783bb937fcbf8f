/** Takes a submission off the boards. */
import { withdrawSubmission as request, submissionInQueue } from '../../../schema/api/submission.ts'
import { allow } from '../../access/people.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { publish } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { withdrawSubmission } from '../../queries/submissions/cancel-submission.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/submissions/:id/withdraw',
  tags: ['Submissions'],
  summary: 'Withdraw a submission',
  description:
    'Its rows leave the boards, which list it with the reason instead; what is left of it is cancelled. It cannot be undone; the same settings can be submitted anew.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: { params: byId, ...body(request) },
  responses: { 200: json(submissionInQueue, 'The submission as it is now') },
})

export const apiSubmissionWithdraw: Route = (app) =>
  app.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    const { reason } = c.req.valid('json')
    const by = { identity: c.get('identity'), now: Date.now() }
    const keys = await withdrawSubmission(c.get('db'), id, reason, by)
    await Promise.all([...keys.map((key) => publish(c.env, key, { changed: true })), wakeCourier(c.env)])
    return c.json(await getSubmission(c.get('db'), id, c.get('identity'), Date.now()), 200)
  })
