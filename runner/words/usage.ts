/** How commands end other than well. */

/** Wrong input: nothing was done; the command exits with 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What a runner exits with when its machine cannot go on (EX_TEMPFAIL): to start it again at once would change nothing. */
export const LOCAL_FAULT_CODE = 75

/** Stopped by a signal; the command exits with `exitCode`. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}
