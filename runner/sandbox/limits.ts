/** What a method of one file may take. */
export interface Limits {
  /** Of its file. */
  sourceBytes: number
  /** Of its own time: what the engine computes for it is not counted. */
  ms: number
  /** Of all its values, such as weights that it read. */
  memoryBytes: number
  /** Verbs that compute, over the whole run. */
  calls: number
  /** Of them at once, asked for before others are answered. */
  callsAtOnce: number
  /** Operations in one loss. */
  nodes: number
  /** Lines that it writes to the log. */
  logLines: number
}

export const LIMITS: Limits = {
  sourceBytes: 256 * 1024,
  ms: 300_000,
  memoryBytes: 2 ** 30,
  calls: 100_000,
  callsAtOnce: 1000,
  nodes: 2000,
  logLines: 200,
}

/** Of the engine's own stack: what lies deeper than that would reach the end of Node's. */
export const STACK_BYTES = 128 * 1024

/** Of one text that crosses the border; arrays go beside it. */
export const TEXT_CHARACTERS = 1 << 24

/** Of a line of the log, and of what an error says. */
export const LINE_CHARACTERS = 400
