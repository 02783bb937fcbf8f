/** A task that has a spec and nothing else: no metrics, no method of its own, no view. */
import { afterAll, expect, test } from 'vitest'
import type { Board } from '../../schema/api/board.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { defineTask, nothing } from '../../schema/parts/task-spec.ts'
import { tasks } from '../../schema/task.ts'
import {
  addBenchmark,
  ask,
  errorOf,
  finish,
  lease,
  leave,
  read,
  runner,
  SLUG,
  submit,
  submitter,
  upload,
  useSubmitterAndRunner,
} from './support.ts'

useSubmitterAndRunner()

const TASK = 'text-completion'
const BENCHMARK = 'stories.small-transformer.random-10'
tasks.set(
  TASK,
  defineTask({
    title: 'Text completion',
    engine: 1,
    part: nothing,
    requests: ['random'],
    stages: { train: nothing, unlearn: nothing, sample: nothing, evaluate: nothing },
    trainingPart: () => ({}),
    async measure({ benchmark: { dataset, model, request, training }, seed, weights }, add) {
      const common = { task: TASK, dataset, model, seed, part: {} }
      const samples = await add({ kind: 'sample', ...common, inputs: { weights } })
      const judge = await add({
        ...{ kind: 'train', ...common, task: 'classification', recipe: training, without: null },
        inputs: {},
      })
      await add({ kind: 'evaluate', ...common, request, holdOut: training.holdOut, inputs: { samples, judge } })
    },
    references: ['retain'],
    ordering: 'worst-place',
  }),
)
addBenchmark({
  ...benchmarks.get(SLUG)!,
  slug: BENCHMARK,
  title: 'Stories',
  dataset: { id: 'stories' },
  task: { id: TASK },
  metrics: ['perplexity/gpt@1'],
})
afterAll(() => {
  tasks.delete(TASK)
})

const textOf = async (path: string) => {
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  return (await answer.text()).replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
}

/** Trains, samples and evaluates what was submitted. */
async function workOff() {
  const done: string[] = []
  for (let job = await lease(runner); job; job = await lease(runner)) {
    const { kind, task } = job.spec
    done.push(`${task} ${kind}`)
    const picture = kind === 'sample' ? { 'samples.png': await upload(job, 'no picture') } : {}
    const artifacts = { ...(await leave(job)), ...picture }
    const metrics = kind === 'evaluate' ? { perplexity: { identity: 'perplexity/gpt@1;n=40', value: 12.5 } } : {}
    // The judge, whose training is no part of the time, comes after the samples.
    const train = task === TASK ? 9 : 100
    await read(await finish(job, { artifacts, metrics, seconds: { setUp: 1, ...(kind === 'train' && { train }) } }))
  }
  return done
}

test('its pages show what is known, in general words', async () => {
  const { runs } = await submit(submitter, { benchmark: BENCHMARK, method: 'retrain', seeds: [0] })
  expect(await workOff()).toEqual([`${TASK} train`, `${TASK} sample`, 'classification train', `${TASK} evaluate`])
  const { columns, references, ordering } = await read<Board>(await ask(`/api/v1/benchmarks/${BENCHMARK}/board`))
  expect(columns).toMatchObject([{ id: 'perplexity/gpt@1', measured: ['perplexity/gpt@1;n=40'] }])
  expect(references[0]?.metrics['perplexity/gpt@1']?.mean).toBe(12.5)
  expect(references[0]?.seconds?.mean).toBe(10)
  expect(ordering).toMatchObject({ by: 'worst-place', columns: [] })
  const board = await textOf(`/boards/${BENCHMARK}`)
  expect(board).toContain('no metric here orders them')
  expect(board).toContain('12.50')
  // The only kind of method that it has.
  expect(board).toContain(`node runner/palimpsest.js run ${BENCHMARK} --method retrain`)
  const run = await textOf(`/runs/${runs[0]!.id}`)
  for (const words of [
    'Train on the retain set',
    'Sample',
    'Train small-cnn for image classification',
    'Evaluate',
    'The picture of Retrain is stored',
    'with the same seed and therefore the same initialisation and order of batches:',
  ]) {
    expect(run).toContain(words)
  }
  expect(await textOf('/methods/retrain')).toContain('Stories')
  expect(await textOf('/')).toContain('Stories')
  expect(await (await ask('/docs')).text()).toContain(`<h2 id="${TASK}">Text completion</h2>`)
})

test('a method without an answer for it is refused with those that have one', async () => {
  const json = { benchmark: BENCHMARK, method: 'ft' }
  const { code, message } = await errorOf(await ask('/api/v1/submissions', { token: submitter, json }))
  expect(code).toBe('unknown_method')
  expect(message).toContain(`"ft" has nothing to offer for ${TASK}`)
  expect(message).toMatch(/known: original-again, original, retrain-again, retrain$/)
})
