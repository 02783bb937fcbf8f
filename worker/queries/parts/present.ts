/** Runners that are there: heard from lately. */

/** Idle runners ask at least once a minute, and those that work renew a lease: one silent for longer is gone. */
export const SILENT_MS = 95_000
