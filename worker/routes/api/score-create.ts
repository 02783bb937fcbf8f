/** An admin hands in values that another machine computed from evidence of this server. */
import { addedScores, addScores as request } from '../../../schema/api/score.ts'
import { allow } from '../../access/people.ts'
import { apiRoute, bearer, body, json, type Route } from '../../http/route.ts'
import { takeScores } from '../../queries/scores/take-scores.ts'

const route = apiRoute({
  method: 'post',
  path: '/api/v1/scores',
  tags: ['Administration'],
  summary: 'Add values of metrics computed from stored evidence; a dry run unless told otherwise',
  description:
    'Each evaluation names the files that its values were computed from by SHA-256, and is refused where the job has others. A value that is the newest under its identity already adds nothing.',
  security: bearer,
  middleware: [allow('admin')] as const,
  request: body(request),
  responses: { 200: json(addedScores, 'What changed, or would') },
})

export const apiScoreCreate: Route = (app) =>
  app.openapi(route, async (c) => {
    const { evaluations, dryRun, version } = c.req.valid('json')
    const by = { dryRun, version, by: c.get('identity').tokenId }
    return c.json(await takeScores(evaluations, by, { db: c.get('db'), now: Date.now() }), 200)
  })
