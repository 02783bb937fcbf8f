/** The parts of the public API that commands use. */
import { z } from 'zod'
import { board } from '../../schema/api/board.ts'
import { queue } from '../../schema/api/queue.ts'
import { run } from '../../schema/api/run.ts'
import { type createSubmission, submission } from '../../schema/api/submission.ts'
import { suiteBoard } from '../../schema/api/suite.ts'
import { createdToken, type role, token } from '../../schema/api/token.ts'
import { suites } from '../../schema/catalogue.ts'
import type { Client } from './client.ts'

export type Api = ReturnType<typeof apiOf>

export const apiOf = ({ json, server }: Client) => ({
  server,
  health: () => json('/health', z.object({ status: z.literal('ok') }), { retryForMs: 0, timeoutMs: 5000 }),
  board: (slug: string) => json(`/api/v1/benchmarks/${encodeURIComponent(slug)}/board`, board),
  suiteBoard: (slug: string) => json(`/api/v1/suites/${encodeURIComponent(slug)}/board`, suiteBoard),
  /** With the same key, the same request gives the same submission. */
  submit: (body: z.input<typeof createSubmission>, idempotencyKey: string) =>
    json('/api/v1/submissions', submission, { body, headers: { 'idempotency-key': idempotencyKey } }),
  submission: (id: string) => json(`/api/v1/submissions/${id}`, submission),
  run: (id: string) => json(`/api/v1/runs/${id}`, run),
  queue: () => json('/api/v1/queue', queue),
  tokens: async () => (await json('/api/v1/tokens', z.object({ tokens: z.array(token) }))).tokens,
  createToken: (body: { role: z.infer<typeof role>; name: string }) => json('/api/v1/tokens', createdToken, { body }),
})

/** The page of the board of a benchmark or suite. */
export const boardPage = (server: string, slug: string): string =>
  `${server}/${suites.has(slug) ? 'suites' : 'boards'}/${slug}`
