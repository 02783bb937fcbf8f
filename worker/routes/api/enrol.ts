/** A machine becomes a runner with an enrolment secret, which works once. */
import { path, request, response } from '../../../schema/protocol/enrol.ts'
import { publicKeyOf } from '../../../schema/signature.ts'
import { apiRoute, body, json, type Route } from '../../http/route.ts'
import { signingKeyOf } from '../../keys/signing.ts'
import { enrolRunner } from '../../queries/people/enrolments.ts'

const route = apiRoute({
  method: 'post',
  path,
  tags: ['Agent protocol'],
  summary: 'Enrol as a runner',
  request: body(request),
  responses: { 201: json(response, 'Who the runner is, and the key that signs what it may believe') },
})

export const apiEnrol: Route = (app) =>
  app.openapi(route, async (c) => {
    const serverPublicKey = publicKeyOf(signingKeyOf(c.env))
    const enrolled = await enrolRunner(c.get('db'), c.req.valid('json'), Date.now())
    return c.json({ ...enrolled, serverPublicKey }, 201)
  })
