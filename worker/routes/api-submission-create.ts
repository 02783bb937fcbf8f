/** Submits a method to a benchmark. */
import { z } from 'zod'
import { createSubmission as request, submission } from '../../schema/api/submission.ts'
import { allow } from '../auth.ts'
import { createSubmission } from '../queries/create-submission.ts'
import { getSubmission } from '../queries/submissions.ts'
import { apiRoute, bearer, body, json, type Route } from '../route.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/submissions',
  tags: ['Submissions'],
  summary: 'Submit a method to a benchmark',
  description:
    'Missing retrain runs of the same seeds are submitted along with it. With an `Idempotency-Key`, a repeated request answers with the first submission.',
  security: bearer,
  middleware: [allow('submitter')] as const,
  request: {
    headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
    ...body(request),
  },
  responses: { 200: json(submission, 'Submitted before'), 201: json(submission, 'Submitted') },
})

export const apiSubmissionCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const idempotencyKey = c.req.valid('header')['idempotency-key'] ?? null
    const identity = c.get('identity')
    const { id, created } = await createSubmission(c.get('db'), c.req.valid('json'), { identity, idempotencyKey })
    return c.json(await getSubmission(c.get('db'), id), created ? 201 : 200)
  })
