/** Live progress: an overall bar with rate and time left, and the stage at work under it; lines that stay go above. Without a
 *  terminal, plain lines. */
import { MultiBar, type Options, type Params, Presets } from 'cli-progress'
import { visibleInLine } from '../../schema/parts/controls.ts'
import type { Progress } from '../../schema/result.ts'
import { count, duration, fixed, plural, timeLeft } from '../words/numbers.ts'
import { estimateOf, type Underway, type Work } from './estimate.ts'
import { drawNotesAbove, interactive, note, shown, styled, widthOf } from './output.ts'

export interface ProgressView {
  /** A line that stays. */
  line(text: string): void
  begin(stage: { label: string; work: Work; key?: string }): void
  /** `key` says of which stage, where several go on at once. */
  update(progress: Progress, key?: string): void
  /** A stage is over; a reused one says nothing about speed. */
  end(stage: { work: Work; reused: boolean; key?: string }): void
  /** A stage is over without a result. */
  drop(key?: string): void
  /** Words in place of a stage, such as `waiting for a runner`. */
  idle(text: string): void
  stop(): void
}

export interface ProgressOptions {
  /** Of all stages, and of those that are done already. */
  all: Work[]
  done: Work[]
  /** How many go on at once. */
  jobs?: number
}

/** A stage at work, with how fast it goes. */
interface Current {
  label: string
  work: Work
  since: number
  progress: Progress | null
  rate: number
  measured: { unit: string; phase: string; done: number; sum: number; since: number } | null
}

const secondsSince = (time: number) => (performance.now() - time) / 1000

export function showProgress({ all, done, jobs = 1 }: ProgressOptions): ProgressView {
  const start = performance.now()
  const estimate = estimateOf(all, done, jobs)
  let doneStages = done.length
  /** Of stages that were computed while watching. */
  const computed = { stages: 0, seconds: 0 }
  /** The one with the latest news last. */
  const current = new Map<string, Current>()
  let waiting = ''
  let stopped = false

  const underway = (): Underway[] =>
    [...current.values()].map(({ work, progress, since }) => ({
      work,
      part: progress?.share ?? null,
      seconds: secondsSince(since),
    }))
  const overall = (): string[] => {
    const left = estimate.secondsLeft(underway())
    const rate = computed.stages > 0 ? `${fixed((60 * jobs * computed.stages) / computed.seconds, 1)} stages/min` : ''
    return [`${doneStages}/${plural(all.length, 'stage')}`, rate, timeLeft(left) || duration(secondsSince(start))]
  }
  const latest = () => [...current.values()].at(-1)
  const stageLine = (): string[] => {
    const stage = latest()
    if (!stage) return [waiting]
    const more = current.size > 1 ? `and ${current.size - 1} more` : ''
    return [...stageWords(stage), more]
  }
  const joined = (parts: string[]) => parts.filter(Boolean).join(' · ')

  const live = interactive() ? liveBars(all.length) : null
  drawNotesAbove(live ? live.line : null)
  const draw = () => {
    const progress = latest()?.progress ?? null
    live?.draw(
      { value: estimate.share(underway()), text: joined(overall()) },
      { value: progress?.share ?? partOf(progress), text: joined(stageLine()) },
    )
  }
  const timer = live ? setInterval(draw, 200) : undefined

  const close = (key = '') => {
    current.delete(key)
    draw()
  }
  draw()
  return {
    line: note,
    begin({ label, work, key = '' }) {
      const place = doneStages + current.size + 1
      current.set(key, { label, work, since: performance.now(), progress: null, rate: 0, measured: null })
      if (!live) note(joined([`[${place}/${all.length}] ${label}`, ...overall().slice(1)]))
      draw()
    },
    update(progress, key = '') {
      const stage = current.get(key)
      if (!stage) return
      current.delete(key)
      current.set(key, stage)
      advance(stage, progress)
    },
    end({ work, reused, key = '' }) {
      doneStages += 1
      const stage = current.get(key)
      const seconds = stage && !reused ? secondsSince(stage.since) : null
      estimate.end(work, seconds)
      if (seconds !== null) {
        computed.stages += 1
        computed.seconds += seconds
      }
      close(key)
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

/** The rate is over the whole stage: news come in bursts, since the process that does the work can't tell them while it works. */
function advance(stage: Current, progress: Progress): void {
  const { unit, phase, done } = progress
  const { measured } = stage
  if (!measured || measured.unit !== unit) {
    stage.measured = { unit, phase, done, sum: 0, since: performance.now() }
    stage.rate = 0
  } else {
    measured.sum += phase === measured.phase ? done - measured.done : done
    Object.assign(measured, { phase, done })
    stage.rate = measured.sum / secondsSince(measured.since)
  }
  stage.progress = progress
}

function stageWords({ label, progress, rate, since }: Current): string[] {
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

/** How much of its phase is done. */
const partOf = (progress: Progress | null): number =>
  progress && progress.total > 0 ? progress.done / progress.total : 0

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
    return shown(`${styled('cyan', drawn)} ${percent}  ${visibleInLine(payload.text ?? '')}`)
  }
  const bars = new MultiBar(
    {
      stream: process.stderr,
      format: bar,
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
    line: (text: string) => bars.log(`${shown(wrapped(text, process.stderr.columns ?? 80))}\n`),
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
    if (last === undefined || widthOf(longer) > width) lines.push(last === undefined ? word : `  ${word}`)
    else lines[lines.length - 1] = longer
  }
  return lines.join('\n')
}
