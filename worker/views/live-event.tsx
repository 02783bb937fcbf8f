/** What pages that show a job are told while it runs, drawn as they draw it themselves. */
import { visible } from '../../schema/parts/controls.ts'
import type { Progress } from '../../schema/result.ts'
import type { LiveEvent, LiveLines } from '../durable/live-event.ts'
import { StageProgress } from './stage-list.tsx'

/** A chunk of a log: the delivery that wrote it, and the bytes and line breaks before it. */
interface Chunk {
  attempt: number
  offset: number
  line: number
  text: string
}

export const liveEvent = (key: string, told: { progress?: Progress | null; log?: Chunk | null }): LiveEvent => ({
  // A line that is cut is left to the server's own page.
  changed: told.log != null && !told.log.text.endsWith('\n'),
  progress: told.progress ? visible(String(<StageProgress progress={told.progress} />)) : null,
  log: told.log ? linesOf(key, told.log) : null,
})

const linesOf = (key: string, { attempt, offset, line, text }: Chunk): LiveLines => ({
  of: `${key}/${attempt}`,
  offset,
  end: offset + new TextEncoder().encode(text).byteLength,
  line,
  lines: text.slice(0, -1).split('\n'),
})
