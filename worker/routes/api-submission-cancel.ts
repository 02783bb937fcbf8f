/** Cancels the unfinished runs of a submission. */
import { submissionInQueue } from '../../schema/api/submission.ts'
import { allow } from '../auth.ts'
import { wakeCourier } from '../courier.ts'
import { publish } from '../live.tsx'
import { byId } from '../params.ts'
import { cancelSubmission } from '../queries/cancel-submission.ts'
import { getSubmission } from '../queries/submissions.ts'
import { apiRoute, bearer, json, type Route } from '../route.ts'

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
