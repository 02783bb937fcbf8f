import { expect, test } from 'vitest'
import { benchmark } from '../../schema/benchmark.ts'
import { benchmarks, suites } from '../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../schema/issues.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { stageKeyOf, stageSpec } from '../../schema/stage.ts'
import { tasks } from '../../schema/task.ts'

const classifies = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const generates = suites.get('fashion-mnist-5k-16.ddpm-unet.class-wise')!.benchmarks[0]!
const original = { id: 'original', version: 1, trainsOn: 'all' } as const
const salun = { id: 'salun', version: 1 }

/** What is wrong with a benchmark. */
function faultsOf(input: unknown): string {
  const { error } = benchmark.safeParse(input)
  return error ? describeIssues(error, input) : 'nothing'
}

/** A copy with one member of its task replaced, or taken out. */
function withTask(change: (task: Record<string, Record<string, unknown>>) => unknown) {
  const copy = structuredClone(generates)
  change(copy.task as unknown as Record<string, Record<string, unknown>>)
  return copy
}

test.each([...benchmarks])(
  '%s names a task that can forget what it asks for, and is equal once parsed again',
  (_, own) => {
    expect(tasks.get(own.task.id)?.requests).toContain(own.request.kind)
    expect(benchmark.parse(structuredClone(own))).toEqual(own)
  },
)

test('a benchmark that names no task is of classification', () => {
  const { task, ...rest } = classifies
  expect(task).toEqual({ id: 'classification' })
  expect(benchmark.parse(rest).task).toEqual(task)
})

test('an unknown task is refused with those that are known', () => {
  expect(faultsOf({ ...classifies, task: { id: 'translation' } })).toBe(
    `task.id: no task "translation"; known are ${[...tasks.keys()].join(', ')}, got "translation"`,
  )
  expect(faultsOf({ ...classifies, task: 'classification' })).toBe('task: expected object, got "classification"')
  expect(faultsOf({ ...classifies, task: {} })).toBe('task.id: expected string, got nothing')
})

test('a wrong part of a task is told by its path, what was expected and what came', () => {
  expect(faultsOf(withTask((task) => delete task.sampling))).toBe('task.sampling: expected object, got nothing')
  expect(faultsOf(withTask((task) => Object.assign(task.sampling!, { perClass: 0 })))).toBe(
    'task.sampling.perClass: expected at least 1, got 0',
  )
  expect(faultsOf(withTask((task) => Object.assign(task, { extractor: 'vgg' })))).toBe(
    'task.extractor: expected "judge" or "inception-v3-pool3", got "vgg"',
  )
  expect(faultsOf({ ...classifies, task: { id: 'classification', sampling: {} } })).toBe(
    'task.sampling: unknown, remove it or check its spelling',
  )
})

test('a task is not asked to forget what it cannot', () => {
  expect(faultsOf({ ...generates, request: { kind: 'random', fraction: 0.1 } })).toBe(
    'request.kind: expected class, all that generation can forget, got "random"',
  )
})

test('a benchmark with "generation" in the place of its task is told how to write it now', () => {
  const { task, ...rest } = generates
  const { id, ...part } = task
  expect(faultsOf({ ...rest, generation: part, extra: 1 })).toBe(
    'generation: write "task": { "id": "generation", … } in its place, with what "generation" held beside the id; extra: unknown, remove it or check its spelling',
  )
  // Done as told.
  expect(faultsOf({ ...rest, task: { id, ...part } })).toBe('nothing')
})

test('defaults of a part are filled in, and are part of the definition', async () => {
  const { clip, ...sampling } = generates.task.sampling as { clip: boolean }
  const short = benchmark.parse({ ...generates, task: { ...generates.task, sampling } })
  expect(short.task.sampling).toEqual({ ...sampling, clip: false })
  expect(clip).toBe(true)
  expect(await definitionOf(short)).not.toBe(await definitionOf(generates))
})

test('a stage of an unknown task, of a kind that its task has not, or with a wrong part is refused', async () => {
  const [stage] = await planRun(classifies, original, {}, 0)
  const spec = stage!.spec
  const faults = (change: object) => {
    const input = { ...spec, ...change }
    return describeIssues(stageSpec.safeParse(input).error!, input)
  }
  expect(faults({ task: 'translation' })).toContain('task: no task "translation"; known are ')
  expect(faults({ part: { denoising: {} } })).toBe('part.denoising: unknown, remove it or check its spelling')
  const { recipe, without, ...common } = spec as { recipe: unknown; without: unknown }
  const sample = { ...common, kind: 'sample' }
  expect(describeIssues(stageSpec.safeParse(sample).error!, sample)).toBe(
    'task: the task classification has no stage "sample", got "classification"',
  )
  const keyOf = async (spec: unknown) => stageKeyOf(spec as never)
  await expect(keyOf({ ...sample, task: 'translation' })).rejects.toThrow('no task "translation"')
})

test('what generates is judged by a classifier whose training all seeds and classes share', async () => {
  const kinds = async (seed: number) =>
    (await planRun(generates, salun, {}, seed)).map(({ key, spec }) => ({ key, of: `${spec.task} ${spec.kind}` }))
  const [first, second] = [await kinds(0), await kinds(1)]
  expect(first.map(({ of }) => of)).toEqual([
    'generation train',
    'generation unlearn',
    'generation sample',
    'classification train',
    'generation evaluate',
  ])
  expect(first.filter(({ key }) => second.some((other) => other.key === key)).map(({ of }) => of)).toEqual([
    'classification train',
  ])
})

test('metrics that a benchmark names are no part of its definition or of a stage key', async () => {
  const fewer = { ...classifies, metrics: ['ua/accuracy@1'] }
  expect(await definitionOf(fewer)).toBe(await definitionOf(classifies))
  expect(await planRun(fewer, salun, {}, 0)).toEqual(await planRun(classifies, salun, {}, 0))
})

test('a recipe that says the last epoch has the key of one that says nothing, and the best epoch another', async () => {
  const keyOf = async (own: object) => {
    const training = { ...classifies.training, holdOut: 0.1, ...own }
    const [stage] = await planRun(benchmark.parse({ ...classifies, training }), original, {}, 0)
    return stage!.key
  }
  expect(await keyOf({ checkpoint: 'last' })).toBe(await keyOf({}))
  expect(await keyOf({ checkpoint: 'best' })).not.toBe(await keyOf({}))
})

test('the best epoch takes images that are held out, and answers that are right or wrong', () => {
  const best = (own: object) => ({ ...classifies, training: { ...classifies.training, checkpoint: 'best', ...own } })
  expect(faultsOf(best({ holdOut: 0.1 }))).toBe('nothing')
  expect(faultsOf(best({ holdOut: 0 }))).toContain(
    'best needs images to choose by; set holdOut above 0, or leave checkpoint out',
  )
  const training = { ...generates.training, holdOut: 0.1, checkpoint: 'best' }
  expect(faultsOf({ ...generates, training })).toContain('generation has no best epoch; leave checkpoint out')
})
