/** Forecasts are made when something changed and kept: a queue that is looked at a hundred times a second is played through once in
 *  five. What a forecast is made of names it, so that none is ever that of another queue. It is kept in memory: making it is one
 *  turn of the worker's one thread, so requests that come meanwhile find it made. */
import { type Forecast, type ForecastStage, forecast } from './forecast.ts'

/** Running stages come nearer to their end by so much before that counts as a change. */
const STEP_MS = 5_000

let kept: { of: string; times: Map<string, Forecast> } | null = null

/** How many forecasts were made, for who counts them. */
export const made = { forecasts: 0 }

export function keptForecast(
  stages: readonly ForecastStage[],
  runners: readonly string[],
  now: number,
): Map<string, Forecast> {
  const of = nameOf(stages, runners, now)
  if (kept?.of === of) return kept.times
  made.forecasts += 1
  kept = { of, times: forecast(stages, runners) }
  return kept.times
}

/** Lists that several stages share are written once. */
function nameOf(stages: readonly ForecastStage[], runners: readonly string[], now: number): string {
  const lists = new Map<string, number>()
  const numbered = (list: readonly (string | number)[]) => {
    const text = list.join(' ')
    const number = lists.get(text) ?? lists.size
    lists.set(text, number)
    return number
  }
  const parts = stages.map(({ key, durations, after, runners, running }) =>
    [key, numbered(durations), numbered(after), numbered(runners), running?.runner].join(' '),
  )
  return [Math.floor(now / STEP_MS), runners.join(' '), ...parts, ...lists.keys()].join('\n')
}
