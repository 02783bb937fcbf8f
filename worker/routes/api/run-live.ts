/** A run as it goes on: a socket that tells of each change to its stages. */

import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import { ApiError } from '../../../schema/errors.ts'
import { runJobs } from '../../../schema/tables/run-jobs.ts'
import { runs } from '../../../schema/tables/runs.ts'
import { submissions } from '../../../schema/tables/submissions.ts'
import { viewerOf } from '../../access/people.ts'
import { watch } from '../../durable/live-client.ts'
import { byId } from '../../http/params.ts'
import { apiRoute, type Route } from '../../http/route.ts'
import { requireUpgrade } from '../../http/socket.ts'
import { readableBy } from '../../queries/parts/readable.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/runs/:id/live',
  tags: ['Runs'],
  summary: 'Follow a run',
  description:
    'A WebSocket. Each message is JSON: the `key` of a stage, and what is new of it: `progress` and `log` as the page of the run shows them, or `changed`, after which the run should be read again. `ping` is answered with `pong`.',
  request: { params: byId, headers: z.object({ upgrade: z.string().optional() }) },
  responses: { 101: { description: 'Follows' } },
})

export const apiRunLive: Route = (app) =>
  app.openapi(route, async (c) => {
    requireUpgrade(c)
    const { id } = c.req.valid('param')
    const rows = await c
      .get('db')
      .select({ key: runJobs.jobKey })
      .from(runJobs)
      .innerJoin(runs, eq(runs.id, runJobs.runId))
      .innerJoin(submissions, eq(submissions.id, runs.submissionId))
      .where(and(eq(runJobs.runId, id), readableBy(await viewerOf(c))))
    if (rows.length === 0) throw new ApiError('not_found', `no run "${id}"`)
    const keys = rows.map(({ key }) => key)
    return watch(c.env, keys)
  })
