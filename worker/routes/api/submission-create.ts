/** Submits a method to a benchmark. */
import { createSubmission as request, submissionInQueue } from '../../../schema/api/submission.ts'
import { allow } from '../../access/people.ts'
import { settingsOf } from '../../bindings/env.ts'
import { wakeCourier } from '../../durable/courier-client.ts'
import { wake } from '../../durable/dispatcher-client.ts'
import { idempotencyHeaders, onceOf } from '../../http/idempotency.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { createSubmission } from '../../queries/submissions/create-submission.ts'
import { getSubmission } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/submissions',
  tags: ['Submissions'],
  summary: 'Submit a method to a benchmark',
  description: 'Missing retrain runs of the same seeds are submitted along with it.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: {
    headers: idempotencyHeaders,
    ...body(request),
  },
  responses: { 200: json(submissionInQueue, 'Submitted before'), 201: json(submissionInQueue, 'Submitted') },
})

export const apiSubmissionCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const json = c.req.valid('json')
    const once = await onceOf(c, c.req.valid('header')['idempotency-key'], json)
    const { id, created } = await createSubmission(c.get('db'), json, {
      identity: c.get('identity'),
      once,
      settings: settingsOf(c.env),
    })
    await Promise.all([wakeCourier(c.env), created && wake(c.env)])
    return c.json(await getSubmission(c.get('db'), id, c.get('identity'), Date.now()), created ? 201 : 200)
  })
