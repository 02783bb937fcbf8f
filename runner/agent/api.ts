/** The parts of the public API that commands use. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { benchmarkList, benchmarkView, type createBenchmark, type retireBenchmark } from '../../schema/api/benchmark.ts'
import { board } from '../../schema/api/board.ts'
import { createdEnrolment, type createEnrolment } from '../../schema/api/enrolment.ts'
import { queue } from '../../schema/api/queue.ts'
import { retentionReport } from '../../schema/api/retention.ts'
import { run, type setAside, setAsideStages } from '../../schema/api/run.ts'
import { type changeRunner, type revokeRunner, runner, runnerList } from '../../schema/api/runner.ts'
import { addedScores, type addScores, type rescore, rescoreReport } from '../../schema/api/score.ts'
import { type createSubmission, submissionInQueue, type withdrawSubmission } from '../../schema/api/submission.ts'
import { suiteBoard } from '../../schema/api/suite.ts'
import { createdToken, type role, token } from '../../schema/api/token.ts'
import {
  createdWebhook,
  type createWebhook,
  webhook,
  webhookList,
  webhookMessage,
  webhookMessageList,
} from '../../schema/api/webhook.ts'
import { suites } from '../../schema/catalogue/catalogue.ts'
import type { Client } from './client.ts'

/** Makes a request that is sent again, since its answer was lost, create nothing more. */
const once = () => ({ 'idempotency-key': randomUUID() })

export type Api = ReturnType<typeof apiOf>

export const apiOf = ({ json, server }: Client) => ({
  server,
  health: () => json('/health', z.object({ status: z.literal('ok') }), { retryForMs: 0, timeoutMs: 5000 }),
  benchmark: (slug: string) => json(`/api/v1/benchmarks/${encodeURIComponent(slug)}`, benchmarkView),
  benchmarks: async () => (await json('/api/v1/benchmarks', benchmarkList)).benchmarks,
  createBenchmark: (body: z.input<typeof createBenchmark>, idempotencyKey: string) =>
    json('/api/v1/benchmarks', benchmarkView, { body, headers: { 'idempotency-key': idempotencyKey } }),
  retireBenchmark: (slug: string, body: z.input<typeof retireBenchmark>) =>
    json(`/api/v1/benchmarks/${encodeURIComponent(slug)}/retire`, benchmarkView, { body }),
  board: (slug: string) => json(`/api/v1/benchmarks/${encodeURIComponent(slug)}/board`, board),
  suiteBoard: (slug: string) => json(`/api/v1/suites/${encodeURIComponent(slug)}/board`, suiteBoard),
  /** With the same key, the same request gives the same submission. */
  submit: (body: z.input<typeof createSubmission>, idempotencyKey: string) =>
    json('/api/v1/submissions', submissionInQueue, { body, headers: { 'idempotency-key': idempotencyKey } }),
  submission: (id: string) => json(`/api/v1/submissions/${id}`, submissionInQueue),
  withdraw: (id: string, body: z.input<typeof withdrawSubmission>) =>
    json(`/api/v1/submissions/${encodeURIComponent(id)}/withdraw`, submissionInQueue, { body }),
  setAside: (key: string, body: z.input<typeof setAside>) =>
    json(`/api/v1/jobs/${encodeURIComponent(key)}/set-aside`, setAsideStages, { body }),
  run: (id: string) => json(`/api/v1/runs/${id}`, run),
  queue: () => json('/api/v1/queue', queue),
  /** One portion, which takes the server half a minute at most. */
  rescore: (slug: string, body: z.input<typeof rescore>, signal?: AbortSignal) =>
    json(`/api/v1/benchmarks/${encodeURIComponent(slug)}/rescore`, rescoreReport, { body, signal, timeoutMs: 120_000 }),
  addScores: (body: z.input<typeof addScores>, signal?: AbortSignal) =>
    json('/api/v1/scores', addedScores, { body, signal }),
  /** Removes what nothing needs any more. */
  applyRetention: () => json('/api/v1/retention', retentionReport, { body: { dryRun: false }, timeoutMs: 120_000 }),
  tokens: async () => (await json('/api/v1/tokens', z.object({ tokens: z.array(token) }))).tokens,
  createEnrolment: (body: z.input<typeof createEnrolment>) =>
    json('/api/v1/enrolments', createdEnrolment, { body, headers: once() }),
  runners: async () => (await json('/api/v1/runners', runnerList)).runners,
  changeRunner: (id: string, body: z.input<typeof changeRunner>) =>
    json(`/api/v1/runners/${id}`, runner, { method: 'PATCH', body }),
  revokeRunner: (id: string, query: Record<string, string> & z.input<typeof revokeRunner>) =>
    json(`/api/v1/runners/${id}?${new URLSearchParams(query)}`, runner, { method: 'DELETE' }),
  createToken: (body: { role: z.infer<typeof role>; name: string }) =>
    json('/api/v1/tokens', createdToken, { body, headers: once() }),
  webhooks: async () => (await json('/api/v1/webhooks', webhookList)).webhooks,
  createWebhook: (body: z.input<typeof createWebhook>) =>
    json('/api/v1/webhooks', createdWebhook, { body, headers: once() }),
  deleteWebhook: (id: string) => json(`/api/v1/webhooks/${encodeURIComponent(id)}`, webhook, { method: 'DELETE' }),
  webhookDeliveries: async (id: string) =>
    (await json(`/api/v1/webhooks/${encodeURIComponent(id)}/deliveries`, webhookMessageList)).deliveries,
  replayWebhook: (id: string, message: string) =>
    json(
      `/api/v1/webhooks/${encodeURIComponent(id)}/deliveries/${encodeURIComponent(message)}/replay`,
      webhookMessage,
      {
        method: 'POST',
      },
    ),
})

/** The page of the board of a benchmark or suite. */
export const boardPage = (server: string, slug: string): string =>
  `${server}/${suites.has(slug) ? 'suites' : 'boards'}/${slug}`
