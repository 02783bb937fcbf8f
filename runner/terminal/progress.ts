/** Live progress: an overall bar with rate and time left, and the stage at work under it; lines that stay go above. Without a
 *  terminal, plain lines. */
import { stripVTControlCharacters } from 'node:util'
import { MultiBar, type Options, type Params, Presets } from 'cli-progress'
import type { Progress } from '../../schema/result.ts'
import { count, duration, fixed, plural, timeLeft } from '../words/numbers.ts'
import { drawNotesAbove, interactive, note, styled } from './output.ts'

export interface ProgressView {
  /** A line that stays. */
  line(text: string): void
  /** A stage begins; `work` is its share of the whole, in any unit that all stages have in common. */
  begin(stage: { label: string; work: number }): void
  update(progress: Progress): void
  /** The current stage is over; a reused one says nothing about speed. */
  end(stage: { work: number; reused: boolean }): void
  /** The current stage is over without a result. */
  drop(): void
  /** Words in place of a stage, such as `waiting for a runner`. */
  idle(text: string): void
  stop(): void
}

export interface ProgressOptions {
  /** All stages, and those that are done already. */
  stages: { total: number; done: number }
  work: { total: number; done: number }
}

export function showProgress({ stages, work }: ProgressOptions): ProgressView {
  const start = performance.now()
  let doneStages = stages.done
  let doneWork = work.done
  /** Of stages that were computed while watching. */
  const computed = { stages: 0, work: 0, seconds: 0 }
  let current: { label: string; work: number; since: number; progress: Progress | null; rate: number } | null = null
  let waiting = ''
  let stopped = false
  const secondsSince = (time: number) => (performance.now() - time) / 1000

  /** Seconds that a unit of work takes, by the stages that are done, else by the one under way; NaN as long as unknown. */
  const pace = () => {
    if (computed.work > 0) return computed.seconds / computed.work
    const part = partOf(current?.progress ?? null)
    return current && part ? secondsSince(current.since) / (part * current.work) : Number.NaN
  }
  /** Work of the current stage that is done: by its own count, else by the time it took so far. */
  const underway = () => {
    if (!current) return 0
    const part = partOf(current.progress) ?? Math.min(0.95, secondsSince(current.since) / (pace() * current.work))
    return Number.isFinite(part) ? part * current.work : 0
  }
  const overall = (): string[] => {
    const left = (work.total - doneWork - underway()) * pace()
    const rate = computed.stages > 0 ? `${fixed((60 * computed.stages) / computed.seconds, 1)} stages/min` : ''
    return [`${doneStages}/${plural(stages.total, 'stage')}`, rate, timeLeft(left) || duration(secondsSince(start))]
  }
  const stageLine = (): string[] => {
    if (!current) return [waiting]
    const { label, progress, rate, since } = current
    if (!progress) return [label, `preparing ${duration(secondsSince(since))}`]
    const { phase, done, total, unit, loss } = progress
    const amount = total > 0 ? `${count(done)}/${count(total)} ${unit}` : `${count(done)} ${unit}`
    return [
      label,
      phase,
      loss === undefined ? amount : '',
      rate > 0 ? `${count(rate)} ${unit}/s` : '',
      loss === undefined ? '' : `loss ${fixed(loss, 3)}`,
    ]
  }
  const joined = (parts: string[]) => parts.filter(Boolean).join(' · ')

  const live = interactive() ? liveBars(stages.total) : null
  drawNotesAbove(live ? live.line : null)
  const draw = () => {
    const progress = current?.progress ?? null
    live?.draw(
      { value: work.total > 0 ? (doneWork + underway()) / work.total : 1, text: joined(overall()) },
      { value: partOf(progress) ?? shareOf(progress), text: joined(stageLine()) },
    )
  }
  const timer = live ? setInterval(draw, 200) : undefined
  let measured: { unit: string; phase: string; done: number; sum: number; since: number } | null = null

  const close = () => {
    current = null
    measured = null
    draw()
  }
  draw()
  return {
    line: note,
    begin({ label, work }) {
      current = { label, work, since: performance.now(), progress: null, rate: 0 }
      if (!live) note(joined([`[${doneStages + 1}/${stages.total}] ${label}`, ...overall().slice(1)]))
      draw()
    },
    update(progress) {
      if (!current) return
      // Over the whole stage: news come in bursts, since the process that does the work can't tell them while it works.
      const { unit, phase, done } = progress
      if (!measured || measured.unit !== unit) {
        measured = { unit, phase, done, sum: 0, since: performance.now() }
        current.rate = 0
      } else {
        measured.sum += phase === measured.phase ? done - measured.done : done
        Object.assign(measured, { phase, done })
        current.rate = measured.sum / secondsSince(measured.since)
      }
      current.progress = progress
    },
    end({ work, reused }) {
      doneStages += 1
      doneWork += work
      if (current && !reused) {
        computed.stages += 1
        computed.work += work
        computed.seconds += secondsSince(current.since)
      }
      close()
    },
    drop: close,
    idle(text) {
      waiting = text
      draw()
    },
    stop() {
      if (stopped) return
      stopped = true
      clearInterval(timer)
      drawNotesAbove(null)
      live?.stop()
    },
  }
}

const shareOf = (progress: Progress | null): number =>
  progress && progress.total > 0 ? progress.done / progress.total : 0

/** How much of its stage is done; null where its phase, unlike `epoch 3 of 15`, does not tell. */
function partOf(progress: Progress | null): number | null {
  const [, at, of] = /(\d+) of (\d+)$/.exec(progress?.phase ?? '') ?? []
  return at === undefined ? null : (Number(at) - 1 + shareOf(progress)) / Number(of)
}

interface BarState {
  value: number
  text: string
}

function liveBars(total: number) {
  const bar = (options: Options, params: Params, payload: { text?: string }) => {
    const { barsize = 20, barCompleteString = '', barIncompleteString = '' } = options
    const size = barsize
    const complete = Math.round(Math.max(0, Math.min(1, params.progress)) * size)
    const drawn = barCompleteString.slice(0, complete) + barIncompleteString.slice(0, size - complete)
    const percent = `${Math.floor(params.progress * 100)}%`.padStart(4)
    return `${styled('cyan', drawn)} ${percent}  ${payload.text ?? ''}`
  }
  const bars = new MultiBar(
    {
      stream: process.stderr,
      format: bar as unknown as string,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      gracefulExit: false,
      linewrap: false,
      barsize: 20,
      fps: 10,
      // A line above overwrites the bars, so they are drawn again even where they did not change.
      forceRedraw: true,
    },
    Presets.shades_classic,
  )
  const overall = bars.create(total > 0 ? 1000 : 1, 0, { text: '' })
  const stage = bars.create(1000, 0, { text: '' })
  return {
    draw(whole: BarState, part: BarState) {
      overall.update(Math.round(whole.value * 1000), { text: whole.text })
      stage.update(Math.round(part.value * 1000), { text: part.text })
    },
    line: (text: string) => bars.log(`${wrapped(text, process.stderr.columns ?? 80)}\n`),
    stop() {
      bars.update()
      bars.stop()
    },
  }
}

/** The terminal does not wrap lines while there are bars: breaks between words instead. */
function wrapped(text: string, width: number): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    const longer = last === undefined ? word : `${last} ${word}`
    if (last === undefined || stripVTControlCharacters(longer).length > width)
      lines.push(last === undefined ? word : `  ${word}`)
    else lines[lines.length - 1] = longer
  }
  return lines.join('\n')
}
