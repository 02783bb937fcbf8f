/** The words that say what a run waits for. */
import { expect, test } from 'vitest'
import { type Candidate, type Waiting, whyWaits } from '../../worker/queries/queue/waiting.ts'

const GIB = 2 ** 30
const cpu = { provider: 'cpu', memoryBytes: 8 * GIB, gpuMemoryBytes: 0, labels: [], engines: ['a@1'] }
const gpu = {
  provider: 'cuda',
  memoryBytes: 64 * GIB,
  gpuMemoryBytes: 24 * GIB,
  labels: ['lab'],
  engines: ['a@1', 'a@2'],
}
const runner = (changes: Partial<Candidate> = {}): Candidate => ({
  state: 'active',
  pauseReason: null,
  present: true,
  able: cpu,
  running: 0,
  ...changes,
})
const stage = (changes: Partial<Waiting> = {}): Waiting => ({
  kind: 'train',
  requires: {},
  sharedOn: null,
  share: 0,
  overtaken: false,
  before: 0,
  ...changes,
})
const why = (waiting: Partial<Waiting>, runners: Candidate[]) => {
  const { reason, words, matching } = whyWaits(stage(waiting), runners)
  return [reason, words, matching.length]
}
const busy = runner({ running: 1 })

test.each([
  ['no runner', {}, [], ['no_runner', 'no runner has enrolled yet', 0]],
  [
    'a runner that never said what it can do',
    {},
    [runner({ able: null })],
    ['no_runner', 'no runner has enrolled yet', 0],
  ],
  [
    'a missing GPU',
    { requires: { gpuMemoryBytes: 16 * GIB } },
    [busy, runner()],
    ['no_matching_runner', '0 of 2 runners match: none has a GPU with 16 GiB', 0],
  ],
  [
    'only what no runner has is named',
    { requires: { provider: 'cuda', memoryBytes: 16 * GIB, labels: ['lab', 'big'] } },
    [runner(), runner({ able: gpu })],
    ['no_matching_runner', '0 of 2 runners match: none is labelled big', 0],
  ],
  [
    'what each has, but none has together',
    { requires: { provider: 'cpu', gpuMemoryBytes: 16 * GIB } },
    [runner(), runner({ able: gpu })],
    ['no_matching_runner', '0 of 2 runners match: none runs stages on cpu and has a GPU with 16 GiB', 0],
  ],
  [
    'an engine of another release',
    { requires: { provider: 'cpu', engine: 'a@2' } },
    [runner(), runner()],
    [
      'no_matching_runner',
      '0 of 2 runners match: none has the engine a@2, which comes with another release of palimpsest',
      0,
    ],
  ],
  [
    'an engine that one runner has',
    { requires: { engine: 'a@2' } },
    [busy, runner({ able: gpu })],
    ['starting', 'a runner is free for it and asks next', 1],
  ],
  [
    'a paused runner',
    { requires: { labels: ['lab'] } },
    [runner(), runner({ able: gpu, state: 'paused' })],
    ['paused', '1 runner could do it, but an admin paused it', 1],
  ],
  [
    'a runner that the server paused',
    {},
    [runner({ state: 'paused', pauseReason: 'it failed 10 stages' })],
    ['paused', '1 runner could do it, but this server, for what failed there, paused it', 1],
  ],
  [
    'a silent runner',
    {},
    [runner({ present: false })],
    ['runners_silent', 'the one runner that could do it is silent', 1],
  ],
  ['a free runner', {}, [busy, runner()], ['starting', 'a runner is free for it and asks next', 2]],
  [
    'a free runner for the one before',
    { before: 1 },
    [busy, runner()],
    ['busy', 'stages before it take what is free of 2 runners', 2],
  ],
  ['taken runners', {}, [busy], ['busy', 'the one runner that could do it is taken', 1]],
  [
    'a greedy author',
    { share: 2, overtaken: true },
    [busy],
    ['share', 'its author has 2 running, and others with fewer come first', 1],
  ],
  [
    'a shared stage',
    { sharedOn: 'lab-1' },
    [busy],
    ['earlier_stage', 'its train stage is being computed on lab-1 for another run', 1],
  ],
] as const)('why a run waits: %s', (_, waiting, runners, expected) => {
  expect(why(waiting as Partial<Waiting>, runners as unknown as Candidate[])).toEqual(expected)
})
