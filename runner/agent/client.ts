/** HTTP to a Palimpsest server. Every answer is parsed by the schema that the server built it with, without what a newer server
 *  added; network errors and 5xx are tried again with jittered back-off; an error body becomes a RemoteError with its code. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { type ErrorCode, type ErrorDetails, errorBody } from '../../schema/errors.ts'
import { describeIssues } from '../../schema/issues.ts'
import * as access from '../../schema/protocol/access.ts'
import * as beginUpload from '../../schema/protocol/begin-upload.ts'
import * as checkpoint from '../../schema/protocol/checkpoint.ts'
import * as completeUpload from '../../schema/protocol/complete-upload.ts'
import * as enrol from '../../schema/protocol/enrol.ts'
import * as fail from '../../schema/protocol/fail.ts'
import * as finish from '../../schema/protocol/finish.ts'
import * as late from '../../schema/protocol/late.ts'
import * as lease from '../../schema/protocol/lease.ts'
import * as log from '../../schema/protocol/log.ts'
import { storedManifest } from '../../schema/protocol/manifest.ts'
import * as reclaim from '../../schema/protocol/reclaim.ts'
import * as renew from '../../schema/protocol/renew.ts'
import * as serverKey from '../../schema/protocol/server-key.ts'
import * as upload from '../../schema/protocol/upload.ts'
import * as uploadPart from '../../schema/protocol/upload-part.ts'
import { HEADER, PROTOCOL, spokenBy } from '../../schema/protocol/version.ts'
import type { ArtifactRef } from '../../schema/result.ts'
import { stageSpec } from '../../schema/stage.ts'
import { tolerant } from '../../schema/tolerant.ts'
import type { Incoming } from '../store/incoming.ts'
import { localFaultOf } from '../store/local-fault.ts'
import { jittered } from '../words/backoff.ts'
import { ContractError, remedyFor } from './contract.ts'

/** The server refused. */
export class RemoteError extends Error {
  override name = 'RemoteError'
  readonly code: ErrorCode | (string & {})
  readonly status: number
  readonly details: ErrorDetails
  /** By the answer's Date header, in milliseconds; null without one. */
  readonly serverTime: number | null

  constructor(code: string, status: number, message: string, details: ErrorDetails = {}, date: string | null = null) {
    super(message)
    this.code = code
    this.status = status
    this.details = details
    const time = Date.parse(date ?? '')
    this.serverTime = Number.isNaN(time) ? null : time
  }
}

/** No usable answer came for as long as was worth trying. */
export class UnreachableError extends Error {
  override name = 'UnreachableError'
}

/** Where a client gets the tokens that it sends. */
export interface Access {
  /** A token that should be good now. */
  token(): Promise<string>
  /** The server refused that token: the next one will be new. */
  refused(token: string): void
}

export interface ClientOptions {
  /** Such as `https://palimpsest.example`. */
  server: string
  token?: string | undefined
  /** A runner's tokens, instead of one that stays. */
  access?: Access
  /** No new try begins after this long, unless a request says otherwise. */
  retryForMs?: number
  /** Told before each pause between tries. */
  onRetry?: ((message: string, pauseMs: number) => void) | undefined
  /** Told of each answer, whatever it says. */
  onAnswer?: (() => void) | undefined
}

export interface RequestOptions {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON, unless it is bytes. */
  body?: unknown
  /** Asked anew for each try. */
  headers?: Record<string, string> | (() => Record<string, string>)
  signal?: AbortSignal | undefined
  /** Of one try. */
  timeoutMs?: number
  /** No new try begins after this long. */
  retryForMs?: number
}

/** Of one body; larger files go in pieces. */
const TRANSFER = { timeoutMs: 300_000, retryForMs: 600_000 }
const BLOCK_BYTES = 32 * 1024 ** 2

const answers = new WeakMap<z.ZodType, z.ZodType>()

/** The schema of a message as answers are read by it. What a stage key is a hash over is left as it is: a stage that this
 *  release does not know is not to be taken for one that it knows. */
export function asAnswer<Shape extends z.ZodType>(shape: Shape): Shape {
  const made = answers.get(shape) ?? tolerant(shape, { exact: [stageSpec] })
  answers.set(shape, made)
  return made as Shape
}

export type Client = ReturnType<typeof createClient>

const bearer = (credential: string | undefined): Record<string, string> =>
  credential ? { authorization: `Bearer ${credential}` } : {}

export function createClient(options: ClientOptions) {
  const { server, token, access: tokens, retryForMs: patience = 30_000, onRetry, onAnswer } = options
  const base = server.replace(/\/+$/, '')
  const credentialNow = async () => token ?? (await tokens?.token())

  /** The answer of a try that the server did not refuse. */
  async function once(path: string, options: RequestOptions): Promise<Response> {
    const { body, headers, signal, timeoutMs = 30_000 } = options
    const bytes = body instanceof Uint8Array
    const own = typeof headers === 'function' ? headers() : (headers ?? {})
    const credential = own.authorization ? undefined : await credentialNow()
    const limit = AbortSignal.timeout(timeoutMs)
    const answer = await fetch(base + path, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...bearer(credential),
        ...(body !== undefined && { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
        ...own,
      },
      ...(body !== undefined && { body: bytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    onAnswer?.()
    if (answer.ok) return answer
    const parsed = asAnswer(errorBody).safeParse(await answer.json().catch(() => null)).data
    const unexpected = {
      code: 'unexpected_answer',
      message: `the server answered ${answer.status}`,
      details: undefined,
    }
    const { code, message, details } = parsed?.error ?? unexpected
    if (answer.status === 401 && credential) tokens?.refused(credential)
    const spoken = spokenBy(answer.headers.get(HEADER))
    // A server of another release may know less, or more, of what a request says.
    const remedy = code === 'invalid_request' && spoken.protocol !== PROTOCOL ? `; ${remedyFor(spoken)}` : ''
    throw new RemoteError(code, answer.status, message + remedy, details, answer.headers.get('date'))
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
        // Of what is done with an answer, or before one could be asked for.
        const fault = localFaultOf(error)
        if (fault) throw fault
        if (error instanceof RemoteError && error.code === 'access_expired' && attempt === 0) continue
        if (error instanceof RemoteError && error.status < 500 && error.code !== 'rate_limited') throw error
        const pauseMs = jittered(300, attempt, 10_000)
        const reason = error instanceof UnreachableError ? error.message : `${base}: ${reasonOf(error)}`
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
      const { data, error } = asAnswer(shape).safeParse(value)
      if (error) {
        const remedy = remedyFor(spokenBy(answer.headers.get(HEADER)))
        throw new ContractError(`${base}${path}: unexpected answer: ${describeIssues(error, value)}; ${remedy}`)
      }
      return data as z.infer<Shape>
    })

  const about = (path: string, key: string) => path.replace(':key', key)
  const artifact = (path: string, sha256: string) => path.replace(':sha256', sha256)
  const bytesOf = (bytes: Uint8Array) => ({ ...TRANSFER, method: 'PUT', body: bytes }) as const
  /** In the place of this client's own token. */
  const asHolder = (jobToken: string) => ({ authorization: `Bearer ${jobToken}` })

  /** A verb about a job that is leased under a job token. */
  const jobVerb =
    <Request extends z.ZodType, Response extends z.ZodType>(verb: {
      path: string
      request: Request
      response: Response
    }) =>
    (key: string, jobToken: string, body: z.input<Request>, options?: RequestOptions) =>
      json(about(verb.path, key), verb.response, { ...options, body, headers: asHolder(jobToken) })

  return {
    server: base,
    json,
    /** Beside the requests, with the same credentials. */
    socket: async (path: string): Promise<WebSocket> =>
      new WebSocket(base.replace(/^http/, 'ws') + path, { headers: bearer(await credentialNow()) }),

    /** What the server says that it speaks. */
    spoken: (options: RequestOptions = {}) =>
      request(serverKey.path, options, async (answer) => spokenBy(answer.headers.get(HEADER))),
    serverKey: (options?: RequestOptions) => json(serverKey.path, serverKey.response, options),
    enrol: (body: z.input<typeof enrol.request>, options?: RequestOptions) =>
      json(enrol.path, enrol.response, { ...options, body }),
    access: (body: z.input<typeof access.request>, options?: RequestOptions) =>
      json(access.path, access.response, { ...options, body }),
    lease: (body: z.input<typeof lease.request>, options?: RequestOptions) =>
      json(lease.path, lease.response, { ...options, body }),
    reclaim: (key: string, body: z.input<typeof reclaim.request>, options?: RequestOptions) =>
      json(about(reclaim.path, key), reclaim.response, { ...options, body }),
    late: (key: string, body: z.input<typeof late.request>, options?: RequestOptions) =>
      json(about(late.path, key), late.response, { ...options, body }),
    renew: jobVerb(renew),
    log: jobVerb(log),
    finish: jobVerb(finish),
    fail: jobVerb(fail),
    checkpoint: jobVerb(checkpoint),

    beginUpload: (
      sha256: string,
      jobToken: string,
      body: z.input<typeof beginUpload.request>,
      options?: RequestOptions,
    ) =>
      json(artifact(beginUpload.path, sha256), beginUpload.response, {
        ...options,
        body,
        headers: asHolder(jobToken),
      }),
    upload: (sha256: string, jobToken: string, bytes: Uint8Array, options?: RequestOptions) =>
      json(artifact(upload.path, sha256), upload.response, {
        ...bytesOf(bytes),
        ...options,
        headers: asHolder(jobToken),
      }),
    uploadPart: (
      sha256: string,
      jobToken: string,
      { number, partSha256, bytes }: { number: number; partSha256: string; bytes: Uint8Array },
      options?: RequestOptions,
    ) =>
      json(artifact(uploadPart.path, sha256).replace(':number', String(number)), uploadPart.response, {
        ...bytesOf(bytes),
        ...options,
        headers: { ...asHolder(jobToken), 'x-part-sha256': partSha256 },
      }),
    /** The server reads all parts before it answers. */
    completeUpload: (sha256: string, jobToken: string, options?: RequestOptions) =>
      json(artifact(completeUpload.path, sha256), completeUpload.response, {
        ...TRANSFER,
        ...options,
        method: 'POST',
        headers: asHolder(jobToken),
      }),
    manifest: (key: string, options?: RequestOptions) => json(`/api/v1/jobs/${key}/manifest`, storedManifest, options),
    /** Size and SHA-256 of what lies at a path. */
    digest: (path: string, options?: RequestOptions) =>
      request(path, { ...TRANSFER, ...options }, async (answer) => {
        const hash = createHash('sha256')
        let bytes = 0
        for await (const piece of answer.body ?? []) {
          hash.update(piece)
          bytes += piece.length
        }
        return { bytes, sha256: hash.digest('hex') }
      }),
    /** Appends to a file what it lacks, block by block, so that a connection that breaks costs no more than what was under way. */
    async download({ sha256, bytes }: ArtifactRef, file: Incoming, options?: RequestOptions): Promise<void> {
      const next = () => ({ range: `bytes=${file.size()}-${Math.min(bytes, file.size() + BLOCK_BYTES) - 1}` })
      while (file.size() < bytes) {
        const asked = { ...TRANSFER, ...options, headers: next }
        await request(artifact(upload.path, sha256), asked, async (answer) => {
          const place = `bytes ${file.size()}-`
          if (answer.status !== 206 || !answer.headers.get('content-range')?.startsWith(place)) {
            throw new ContractError(`${base}: expected the range ${place} of ${sha256}, got another answer`)
          }
          for await (const piece of answer.body ?? []) await file.append(piece)
        })
      }
    },
  }
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return 'no answer in time'
  if (cause?.code === 'ECONNREFUSED') return 'nothing answers at this address (ECONNREFUSED)'
  if (cause?.code === 'ENOTFOUND') return 'no such host (ENOTFOUND)'
  return cause?.message || message
}
