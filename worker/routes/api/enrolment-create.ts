/** An admin creates an enrolment; its secret is shown once. */
import { createdEnrolment, createEnrolment as request } from '../../../schema/api/enrolment.ts'
import { allow } from '../../access/people.ts'
import { idempotencyHeaders, onceOf } from '../../http/idempotency.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { tokenSecret } from '../../keys/secrets.ts'
import { createEnrolment } from '../../queries/people/enrolments.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/enrolments',
  tags: ['Runners'],
  summary: 'Create an enrolment for one runner',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: { headers: idempotencyHeaders, ...body(request) },
  responses: { 201: json(createdEnrolment, 'The enrolment, with its secret for the only time') },
})

export const apiEnrolmentCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const json = c.req.valid('json')
    const once = await onceOf(c, c.req.valid('header')['idempotency-key'], json)
    const secret = await tokenSecret(c.env, 'enrol', once)
    return c.json(await createEnrolment(c.get('db'), json, { secret, once }), 201)
  })
