/** The versions of the agent protocol: what runners and servers of different releases may expect of each other.
 *
 *  A server reads requests strictly and a runner reads answers tolerantly (schema/tolerant.ts), so a field more in an answer, or
 *  an optional one in a request, is no new version. PROTOCOL is raised when a runner of the release before could not carry out
 *  an order or would misread an answer; then the server goes on to serve the version before as far as it can, and raises
 *  OLDEST_PROTOCOL when it cannot. Which stages a runner can compute is not said by this number but by its engines
 *  (schema/engine.ts). */

/** Sent with each request for a job; absent from runners that speak 1. */
export const PROTOCOL = 2
/** Runners that speak an older one are told which release they need. 1 wrote stages without their task. */
export const OLDEST_PROTOCOL = 2

/** The first release that spoke each. */
export const releases: readonly string[] = ['', '0.1.0', '0.2.0']

/** The server says in this header of each answer what it speaks, such as `2; since=0.2.0`. */
export const HEADER = 'palimpsest-protocol'
export const header = `${PROTOCOL}; since=${releases[PROTOCOL]}`

export interface Spoken {
  protocol: number
  /** The first release that spoke it; null for one that nobody here knows. */
  since: string | null
}

/** What an answer says that its server speaks: servers that speak 1 say nothing. */
export function spokenBy(value: string | null): Spoken {
  const [, protocol = '1', since] = /^(\d{1,6})(?:; since=([\w.-]{1,40}))?$/.exec(value ?? '1') ?? []
  return { protocol: Number(protocol), since: since ?? releases[Number(protocol)] ?? null }
}
