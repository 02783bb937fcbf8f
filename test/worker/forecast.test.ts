/** The estimate of when a run will be done, on made-up queues. */
import { expect, test } from 'vitest'
import { type ForecastStage, forecast } from '../../worker/queries/queue/forecast.ts'
import { keptForecast, made } from '../../worker/queries/queue/kept-forecast.ts'

const stage = (key: string, changes: Partial<ForecastStage> = {}): ForecastStage => ({
  key,
  durations: [10],
  after: [],
  runners: ['a', 'b'],
  ...changes,
})
const begins = (stages: ForecastStage[], runners = ['a', 'b']) =>
  Object.fromEntries([...forecast(stages, runners)].map(([key, { begins }]) => [key, begins.median]))

test('two runners share the stages in their order', () => {
  // a: 1 then 3 then 5; b: 2 then 4.
  expect(begins(['1', '2', '3', '4', '5'].map((key) => stage(key)))).toEqual({ 1: 0, 2: 0, 3: 10, 4: 10, 5: 20 })
})

test('a stage waits for the stages that it reads from, and others pass it by', () => {
  const stages = [stage('train', { durations: [30] }), stage('unlearn', { after: ['train'] }), stage('other')]
  expect(begins(stages)).toEqual({ train: 0, other: 0, unlearn: 30 })
})

test('an input that is not open any more is done', () => {
  expect(begins([stage('unlearn', { after: ['done-before'] })])).toEqual({ unlearn: 0 })
})

test('a stage goes only to a runner that can do it', () => {
  const stages = [stage('1', { runners: ['b'] }), stage('2', { runners: ['b'] }), stage('3')]
  expect(begins(stages)).toEqual({ 1: 0, 2: 10, 3: 0 })
})

test('a runner that can only do what comes later waits for it', () => {
  const stages = [stage('train', { runners: ['b'] }), stage('evaluate', { runners: ['a'], after: ['train'] })]
  expect(begins(stages)).toEqual({ train: 0, evaluate: 10 })
})

test('what runs already ends after the rest of its time', () => {
  const running = stage('1', { durations: [100], running: { runner: 'a', forSeconds: 70 } })
  expect(begins([running, stage('2', { runners: ['a'] })])['2']).toBe(30)
  const overdue = stage('1', { durations: [100], running: { runner: 'a', forSeconds: 170 } })
  expect(begins([overdue, stage('2', { runners: ['a'] })])['2']).toBe(0)
})

test('there is no estimate for what waits behind a stage of unknown length, nor without a runner', () => {
  const stages = [stage('new', { durations: [] }), stage('2'), stage('after', { after: ['new'] })]
  expect(begins(stages, ['a'])).toEqual({})
  expect(begins([stage('1')], [])).toEqual({})
  expect(begins([stage('1', { runners: [] })])).toEqual({})
})

test('quantiles come from earlier durations', () => {
  const spread = (long: number) => [...Array<number>(20 - long).fill(10), ...Array<number>(long).fill(100)]
  const ends = (durations: number[]) => forecast([stage('1', { durations })], ['a']).get('1')?.ends
  // One of 20 took long: below a tenth. Five of 20: above it, and below a half. Fifteen: above both.
  expect(ends(spread(1))).toEqual({ median: 10, p90: 10 })
  expect(ends(spread(5))).toEqual({ median: 10, p90: 100 })
  expect(ends(spread(15))).toEqual({ median: 100, p90: 100 })
})

test('a queue that is looked at a hundred times is played through once, until something changed or five seconds passed', () => {
  const stages = [stage('1', { running: { runner: 'a', forSeconds: 3 } }), stage('2'), stage('3', { after: ['2'] })]
  const runners = ['a', 'b']
  const before = made.forecasts
  const times = () => made.forecasts - before
  for (let view = 0; view < 100; view++) {
    expect(keptForecast(stages, runners, 10_000 + view)).toEqual(forecast(stages, runners))
  }
  expect(times()).toBe(1)
  keptForecast(stages, runners, 15_000)
  expect(times()).toBe(2)
  const changes = [
    [...stages, stage('4')],
    [stage('2'), stage('1'), stage('3', { after: ['2'] })],
    [stage('1'), stage('2'), stage('3', { after: ['2'] })],
    [stage('1'), stage('2'), stage('3', { after: ['1'] })],
    [stage('1'), stage('2'), stage('3', { after: ['1'], durations: [10, 20] })],
    [stage('1'), stage('2'), stage('3', { after: ['1'], runners: ['b'] })],
  ]
  for (const [index, changed] of changes.entries()) {
    expect(keptForecast(changed, runners, 15_000)).toEqual(forecast(changed, runners))
    expect(times()).toBe(3 + index)
  }
})
