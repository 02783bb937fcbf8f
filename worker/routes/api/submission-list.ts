/** Submissions, newest first. */

import { listQuery, PAGING } from '../../../schema/api/page.ts'
import { submissionList } from '../../../schema/api/submission.ts'
import { viewerOf } from '../../access/people.ts'
import { apiRoute, json, type Route } from '../../http/route.ts'
import { listSubmissions } from '../../queries/submissions/submissions.ts'

const route = apiRoute({
  method: 'get',
  path: '/api/v1/submissions',
  tags: ['Submissions'],
  summary: 'List submissions',
  description: PAGING,
  request: { query: listQuery },
  responses: { 200: json(submissionList, 'Newest first') },
})

export const apiSubmissionList: Route = (app) =>
  app.openapi(route, async (c) =>
    c.json(await listSubmissions(c.get('db'), c.req.valid('query'), await viewerOf(c)), 200),
  )
