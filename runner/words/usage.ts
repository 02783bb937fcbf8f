/** How commands end other than well. */

/** Wrong input: nothing was done; the command exits with 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Stopped by a signal; the command exits with `exitCode`. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}
