/** What is told about a job to the pages that show it. */

export interface LiveEvent {
  /** The page fetches itself again. */
  changed: boolean
  /** HTML that shows how far a stage is. */
  progress: string | null
  log: LiveLines | null
}

/** As it is sent: about the job of this key. */
export interface LiveMessage extends LiveEvent {
  key: string
}

/** Complete lines of a log, as they were written. */
export interface LiveLines {
  /** The log that they belong to. */
  of: string
  /** Bytes before them, and with them. */
  offset: number
  end: number
  /** Line breaks before them. */
  line: number
  lines: string[]
}
