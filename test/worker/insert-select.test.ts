import { eq, sql } from 'drizzle-orm'
import { expect, expectTypeOf, test } from 'vitest'
import type { jobInputs } from '../../schema/tables/job-inputs.ts'
import { lateResults } from '../../schema/tables/late-results.ts'
import { webhookAttempts } from '../../schema/tables/webhook-attempts.ts'
import { databaseOf } from '../../worker/bindings/database.ts'
import { insertSelect, numbered, type Sources } from '../../worker/queries/parts/insert-select.ts'
import { bindings, lease, resultOf, runner, submit, submitter, useSubmitterAndRunner } from './support.ts'

useSubmitterAndRunner()

const db = databaseOf(bindings.DB)

test('each value goes to the column of its name, in whatever order they are written', async () => {
  const row = { error: null, status: 204, durationMs: 7, at: 5, messageId: sql`'message'`, sequence: numbered }
  const { sql: statement, params } = insertSelect(db, webhookAttempts, row, sql`FROM webhooks`).toSQL()
  expect(statement).toBe(
    `insert into "webhook_attempts" ("sequence", "message_id", "at", "duration_ms", "status", "error") SELECT NULL, 'message', ?, ?, ?, NULL FROM webhooks`,
  )
  expect(params).toEqual([5, 7, 204])
})

test('a value is written as its column keeps it, a column is copied as it is', async () => {
  await submit(submitter, { seeds: [0], method: 'retrain' })
  const job = (await lease(runner))!
  const result = resultOf({ losses: [2, 1] })
  const source = { runnerId: 'rnr', receivedAt: 9, manifest: 'jws', result, attempt: 1, jobKey: sql`key` }
  await insertSelect(db, lateResults, source, sql`FROM jobs WHERE key = ${job.key}`)
  const kept = await db.select().from(lateResults).where(eq(lateResults.jobKey, job.key))
  expect(kept).toEqual([{ ...source, jobKey: job.key }])
})

test('types refuse a row without one of the columns, or with a value that its column cannot hold', () => {
  type Row = Sources<typeof jobInputs>
  expectTypeOf<{ jobKey: string; inputKey: string }>().toExtend<Row>()
  expectTypeOf<{ jobKey: string }>().not.toExtend<Row>()
  expectTypeOf<{ jobKey: string; inputKey: number }>().not.toExtend<Row>()
})
