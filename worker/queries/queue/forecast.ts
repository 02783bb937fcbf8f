/** When waiting stages will begin and end: the queue played through many times, each stage taking the time that an earlier one
 *  of its kind took, drawn at random. Runners are given stages in the order of leasing, as soon as they are free. */

import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Quantiles } from '../../../schema/api/queue.ts'

export interface ForecastStage {
  key: string
  /** Seconds that earlier stages of this kind took; without any there is no estimate. */
  durations: readonly number[]
  /** Keys of stages that must end before. */
  after: readonly string[]
  /** Runners that can do it. */
  runners: readonly string[]
  /** Set while it runs. */
  running?: { runner: string; forSeconds: number }
}

/** Seconds from now. */
export interface Forecast {
  begins: Quantiles
  ends: Quantiles
}

const DRAWS = 64
/** Stages further back get no estimate: playing the queue costs their square. */
export const FORECAST_STAGES = 200

/** By key of the stage; those without an estimate are missing. `stages` come in the order of leasing. */
export function forecast(stages: readonly ForecastStage[], runners: readonly string[]): Map<string, Forecast> {
  const random = xoroshiro128plus(1)
  const plays = new Map<string, { begins: number[]; ends: number[] }>()
  const known = stages.slice(0, FORECAST_STAGES)
  for (let draw = 0; draw < DRAWS; draw++) {
    const draws = ({ durations }: ForecastStage) =>
      durations.length > 0 ? durations[uniformInt(random, 0, durations.length - 1)]! : Number.POSITIVE_INFINITY
    for (const [key, { begin, end }] of play(known, runners, draws)) {
      if (end === Number.POSITIVE_INFINITY) continue
      const { begins, ends } = plays.get(key) ?? { begins: [], ends: [] }
      plays.set(key, { begins: [...begins, begin], ends: [...ends, end] })
    }
  }
  const whole = [...plays].filter(([, { ends }]) => ends.length === DRAWS)
  return new Map(whole.map(([key, { begins, ends }]) => [key, { begins: quantiles(begins), ends: quantiles(ends) }]))
}

/** One course of events: when each stage begins and ends; a stage that never begins is missing. */
function play(
  stages: readonly ForecastStage[],
  runners: readonly string[],
  seconds: (stage: ForecastStage) => number,
): Map<string, { begin: number; end: number }> {
  const times = new Map<string, { begin: number; end: number }>()
  const free = new Map(runners.map((runner) => [runner, 0]))
  const open = new Set(stages.map(({ key }) => key))
  for (const { key, running, ...stage } of stages) {
    if (!running) continue
    const end = Math.max(0, seconds({ key, ...stage }) - running.forSeconds)
    times.set(key, { begin: 0, end })
    free.set(running.runner, end)
  }
  const waiting = stages.filter(({ running }) => !running)
  const isReady = ({ after }: ForecastStage, now: number) =>
    after.every((key) => !open.has(key) || (times.get(key)?.end ?? Number.POSITIVE_INFINITY) <= now)
  for (let now = 0; waiting.length > 0 && now < Number.POSITIVE_INFINITY; now = nextEnd(times, now)) {
    for (const [runner, at] of free) {
      if (at > now) continue
      const next = waiting.findIndex((stage) => stage.runners.includes(runner) && isReady(stage, now))
      if (next < 0) continue
      const [stage] = waiting.splice(next, 1)
      const end = now + Math.max(seconds(stage!), 1e-3)
      times.set(stage!.key, { begin: now, end })
      free.set(runner, end)
    }
  }
  return times
}

const nextEnd = (times: Map<string, { end: number }>, now: number): number =>
  [...times.values()].reduce((next, { end }) => (end > now && end < next ? end : next), Number.POSITIVE_INFINITY)

/** Nearest ranks. */
function quantiles(values: number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!
  return { median: at(0.5), p90: at(0.9) }
}
