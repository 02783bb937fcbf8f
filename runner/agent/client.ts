/** HTTP to a Palimpsest server. Every answer is parsed by the schema that the server built it with; network errors and 5xx
 *  are tried again with jittered back-off; an error body becomes a RemoteError with its code. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { type ErrorCode, errorBody } from '../../schema/errors.ts'
import { describeIssues } from '../../schema/issues.ts'
import * as fail from '../../schema/protocol/fail.ts'
import * as finish from '../../schema/protocol/finish.ts'
import * as lease from '../../schema/protocol/lease.ts'
import * as log from '../../schema/protocol/log.ts'
import * as renew from '../../schema/protocol/renew.ts'
import * as upload from '../../schema/protocol/upload.ts'

/** The server refused. */
export class RemoteError extends Error {
  override name = 'RemoteError'
  readonly code: ErrorCode | (string & {})
  readonly status: number

  constructor(code: string, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** No usable answer came for as long as was worth trying. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

export interface ClientOptions {
  /** Such as `https://palimpsest.example`. */
  server: string
  token?: string | undefined
  /** No new try begins after this long, unless a request says otherwise. */
  retryForMs?: number
  /** Told before each pause between tries. */
  onRetry?: ((message: string, pauseMs: number) => void) | undefined
}

export interface RequestOptions {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON, unless it is bytes. */
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
  /** Of one try. */
  timeoutMs?: number
  /** No new try begins after this long. */
  retryForMs?: number
}

export type Client = ReturnType<typeof createClient>

export function createClient({ server, token, retryForMs: patience = 30_000, onRetry }: ClientOptions) {
  const base = server.replace(/\/+$/, '')

  /** The answer of a try that the server did not refuse. */
  async function once(path: string, options: RequestOptions): Promise<Response> {
    const { body, headers, signal, timeoutMs = 30_000 } = options
    const bytes = body instanceof Uint8Array
    const limit = AbortSignal.timeout(timeoutMs)
    const answer = await fetch(base + path, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: bytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    if (answer.ok) return answer
    const parsed = errorBody.safeParse(await answer.json().catch(() => null)).data
    const { code, message } = parsed?.error ?? {
      code: 'unexpected_answer',
      message: `the server answered ${answer.status}`,
    }
    throw new RemoteError(code, answer.status, message)
  }

  /** `read` belongs to the try: a connection that breaks in the middle of a body is tried again as well. */
  async function request<T>(path: string, options: RequestOptions, read: (answer: Response) => Promise<T>): Promise<T> {
    const { signal, retryForMs = patience } = options
    const start = performance.now()
    for (let attempt = 0; ; attempt++) {
      try {
        return await read(await once(path, options))
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof ContractError) throw error
        if (error instanceof RemoteError && error.status < 500 && error.status !== 429) throw error
        const pauseMs = Math.min(10_000, 300 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2)
        const reason = `${base}: ${reasonOf(error)}`
        if (performance.now() - start + pauseMs > retryForMs) throw new UnreachableError(reason)
        onRetry?.(reason, pauseMs)
        await sleep(pauseMs, undefined, { signal })
      }
    }
  }

  const json = <Shape extends z.ZodType>(
    path: string,
    shape: Shape,
    options: RequestOptions = {},
  ): Promise<z.infer<Shape>> =>
    request(path, options, async (answer) => {
      const value: unknown = await answer.json()
      const { data, error } = shape.safeParse(value)
      if (error) {
        throw new ContractError(
          `${base}${path}: unexpected answer: ${describeIssues(error, value)}; use the release that matches the server`,
        )
      }
      return data as z.infer<Shape>
    })

  const about = (path: string, key: string) => path.replace(':key', key)
  const artifactPath = (sha256: string) => upload.path.replace(':sha256', sha256)

  return {
    server: base,
    json,

    lease: (body: z.input<typeof lease.request>, options?: RequestOptions) =>
      json(lease.path, lease.response, { ...options, body }),
    renew: (key: string, body: z.input<typeof renew.request>, options?: RequestOptions) =>
      json(about(renew.path, key), renew.response, { ...options, body }),
    log: (key: string, body: z.input<typeof log.request>, options?: RequestOptions) =>
      json(about(log.path, key), log.response, { ...options, body }),
    finish: (key: string, body: z.input<typeof finish.request>, options?: RequestOptions) =>
      json(about(finish.path, key), finish.response, { ...options, body }),
    fail: (key: string, body: z.input<typeof fail.request>, options?: RequestOptions) =>
      json(about(fail.path, key), fail.response, { ...options, body }),

    async hasArtifact(sha256: string, options?: RequestOptions): Promise<boolean> {
      try {
        return await request(artifactPath(sha256), { ...options, method: 'HEAD' }, async () => true)
      } catch (error) {
        // The answer to HEAD has no body, so no code either.
        if (error instanceof RemoteError && error.status === 404) return false
        throw error
      }
    },
    upload: (
      sha256: string,
      { bytes, ...lease }: { bytes: Uint8Array; key: string; token: string },
      options?: RequestOptions,
    ) =>
      json(artifactPath(sha256), upload.response, {
        timeoutMs: 300_000,
        ...options,
        method: 'PUT',
        body: bytes,
        headers: { 'x-job-key': lease.key, 'x-lease-token': lease.token },
      }),
    download: (sha256: string, options?: RequestOptions): Promise<Uint8Array> =>
      request(
        artifactPath(sha256),
        { timeoutMs: 300_000, ...options },
        async (answer) => new Uint8Array(await answer.arrayBuffer()),
      ),
  }
}

/** Client and server disagree about a shape: trying again would not help. */
class ContractError extends Error {
  override name = 'ContractError'
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return 'no answer in time'
  if (cause?.code === 'ECONNREFUSED') return 'nothing answers at this address (ECONNREFUSED)'
  if (cause?.code === 'ENOTFOUND') return 'no such host (ENOTFOUND)'
  return cause?.message || message
}
