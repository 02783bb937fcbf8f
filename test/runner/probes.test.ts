/** Probes of a classifier: linear fits and metrics beside scikit-learn's, what evidence of them may say, and what a benchmark must ask
 *  for. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readArrays } from '../../runner/formats/arrays.ts'
import { benchmarkFault } from '../../runner/science/catalogue/benchmark-fault.ts'
import { metricsOf } from '../../runner/science/catalogue/catalogue.ts'
import { withProbes } from '../../runner/science/catalogue/with-probes.ts'
import { fitLogistic } from '../../runner/science/logistic.ts'
import type { AskedEvidence } from '../../runner/science/task.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { readAnswers } from '../../runner/science/tasks/classification/evidence/read.ts'
import { classification } from '../../runner/science/tasks/classification/task.ts'
import { type Benchmark, benchmark as parsed } from '../../schema/benchmark.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { picturedOf } from '../../schema/classes.ts'
import { planRun } from '../../schema/plan.ts'
import type { StageOf } from '../../schema/stage.ts'
import { answersLike, SCORES } from '../support/artifacts.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { digitsOf, floatsOf, goldenJson } from './golden.ts'

afterAll(cleanUp)

const golden = goldenJson('probes/reference.json')
const metrics = metricsOf('classification')

interface Fit {
  classes: number
  dimension: number
  penalty: number
  features: string
  labels: string
  queries: string
  logits: number[] | number[][]
}

test.each(golden.fits as Fit[])('a linear fit of $classes classes at λ = $penalty is that of scikit-learn', (each) => {
  const { classes, dimension, penalty } = each
  const data = { classes, dimension, penalty, features: floatsOf(each.features), labels: digitsOf(each.labels) }
  const found = [...fitLogistic(data).logitsOf(floatsOf(each.queries))]
  const rows = each.logits.map((_, i) => found.slice(i * classes, (i + 1) * classes))
  const comparable = rows.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / classes
    return classes === 2 ? [row[1]! - row[0]!] : row.map((logit) => logit - mean)
  })
  const furthest = Math.max(...comparable.flat().map((logit, i) => Math.abs(logit - each.logits.flat()[i]!)))
  expect(furthest).toBeLessThan(1e-4)
})

const { classes, forgottenClass, expected, ...packed } = golden.metrics
const known: Evidence = {
  classes,
  forgottenClass,
  forget: {
    logits: new Float32Array(packed.forget * classes),
    labels: new Uint8Array(packed.forget).fill(forgottenClass),
  },
  retain: { logits: new Float32Array(classes), labels: new Uint8Array(1) },
  test: { logits: new Float32Array(packed.test.length * classes), labels: digitsOf(packed.test) },
  probed: {
    curve: floatsOf(packed.curve),
    logits: floatsOf(packed.logits),
    membership: { scores: floatsOf(packed.scores), folds: digitsOf(packed.folds) },
  },
}

test.each(Object.keys(expected))('%s is that of scikit-learn and NumPy', (id) => {
  expect(metrics.get(id)!.compute(known, undefined as never)).toBeCloseTo(expected[id], 9)
})

test('D_f that does not come back counts as all steps, and that is said', () => {
  const slow = { ...known, probed: { curve: Float32Array.of(0, 0, 9, 5, 20, 9, 10, 37, 9) } }
  const { compute, warning } = metrics.get('relearn-steps')!
  expect(compute(slow, undefined as never)).toBe(10)
  expect(warning!(slow)).toContain('did not come to 95% within 10 steps (it ended at 92.5%)')
  expect(warning!(known)).toBeNull()
})

test('evidence keeps probes, and other readers of it find them', () => {
  const bytes = encodeEvidence(known)
  expect(decodeEvidence(bytes)).toEqual(known)
  expect(readAnswers(readArrays(bytes))).toEqual(known)
  const short = encodeEvidence({ ...known, probed: { logits: known.probed!.logits!.subarray(0, 3) } })
  expect(() => decodeEvidence(short)).toThrow('expected probe.logits for 30 test examples, got 1')
})

test('evidence without probes is scored as before, and says why a probe has no value', async () => {
  const { probed: _, ...plain } = known
  for (const id of Object.keys(expected))
    expect(() => metrics.get(id)!.compute(plain, undefined as never)).toThrow('the benchmark asks for no')
  const file = join(await temporaryFolder(), 'evidence.safetensors')
  await writeFile(file, encodeEvidence(known))
  const { stdout } = await cli(['score', file, '--json'])
  expect(stdout).toContain('"relearn-steps"')
  await writeFile(file, encodeEvidence(plain))
  expect((await cli(['score', file, '--json'])).stdout).not.toContain('"relearn-steps"')
})

const base = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const asking = (task: object, more: Partial<Benchmark> = {}): Benchmark =>
  parsed.parse({ ...base, ...more, task: { id: 'classification', ...task } })
const probes = { relearn: { steps: 8, every: 4 }, linear: {} }
const stageOf = async (asked: Benchmark) => {
  const stages = await planRun(asked, { id: 'original', version: 1, trainsOn: 'all' }, {}, 0)
  return stages.at(-1)!.spec as StageOf<'evaluate'>
}

test('an evaluation holds all that its probes depend on, and one without probes is what it was', async () => {
  expect((await stageOf(base)).part).toEqual({})
  const { relearn } = (await stageOf(asking({ probes }))).part.probes as { relearn: object }
  // A tenth of the training's rate, its batch size and its optimizer.
  expect(relearn).toEqual({
    ...{ steps: 8, every: 4, retained: 0, batchSize: 64, learningRate: 0.005, clipNorm: null, augment: false },
    optimizer: base.training.optimizer,
  })
})

test('a benchmark is told which probe a metric needs, and which one its request has no use for', () => {
  const faultOf = (metric: string, task: object, more: Partial<Benchmark> = {}) =>
    benchmarkFault(asking(task, { ...more, metrics: [metric] }), {
      datasets: ['fashion-mnist-5k'],
      architectures: () => ({ 'small-cnn': { params: { safeParse: () => ({}) } as never } }),
    })
  const whole = { request: { kind: 'class', label: 0 } } as const
  expect(faultOf('relearn/area@1', {})).toContain('relearn/area@1 needs "relearn": {} in the "probes"')
  expect(faultOf('relearn/area@1', { probes })).toBeNull()
  expect(faultOf('linear-probe/class@1', { probes })).toContain('name membership-probe/auc@1')
  expect(faultOf('membership-probe/auc@1', { probes })).toBeNull()
  expect(faultOf('membership-probe/auc@1', { probes }, whole)).toContain('name linear-probe/class@1')
  expect(faultOf('linear-probe/class@1', { probes }, whole)).toBeNull()
  expect(() => asking({ probes: {} })).toThrow('expected \\"relearn\\", \\"linear\\" or both')
  expect(() => asking({ probes: { relearn: { steps: 7, every: 2 } } })).toThrow('steps to be a multiple of every')
})

test('a server sees from the answers beside them that probes are not those of a stage', async () => {
  const stage = await stageOf(asking({ probes }))
  const asked: AskedEvidence = { stage, inputs: {}, data: picturedOf(stage.dataset)!, hashes: {} }
  const answers = answersLike(stage, SCORES)
  // Those of the test set that are wrong come first, 200 of 2,000.
  const right = [475, 300]
  // 50 of each class in D_f.
  const folds = Uint8Array.from({ length: 500 }, (_, pair) => pair % 5)
  const fine = {
    curve: Float32Array.of(0, ...right, 4, 500, 499, 8, 500, 498),
    membership: { scores: new Float32Array(1000), folds },
  }
  const objection = (probed: Evidence['probed']) => classification.objection!({ ...answers, probed }, asked)
  expect(Object.keys(classification.leaves!(asked)['evidence.safetensors']!)).toEqual(
    expect.arrayContaining(['relearn.curve', 'membership.scores', 'membership.folds']),
  )
  const first = objection({ ...fine, curve: Float32Array.of(0, 0, 0, 4, 500, 499, 8, 500, 498) })
  expect(first).toContain('of the forget set to be right before relearning, as its answers are, got 0')
  expect(objection({ ...fine, curve: Float32Array.of(0, ...right, 5, 500, 499, 8, 500, 498) })).toContain('after 5')
  expect(objection({ ...fine, curve: Float32Array.of(0, ...right, 4, 501, 499, 8, 500, 498) })).toContain('got 501')
  expect(objection({ ...fine, membership: { scores: new Float32Array(8), folds: folds.subarray(0, 4) } })).toContain(
    'expected 500 pairs',
  )
  expect(objection({ ...fine, membership: { ...fine.membership, folds: folds.map(() => 0) } })).toContain('in fold 1')
  expect(objection(fine)).toBeNull()
})

test('run --probes adds to a benchmark the probes that fit what it forgets, and to no other task', async () => {
  const whole = withProbes(benchmarks.get('fashion-mnist-5k.small-cnn.class-0')!)!
  expect(whole.metrics.slice(base.metrics.length)).toEqual([
    'linear-probe/class@1',
    'relearn/area@1',
    'relearn/steps-95@1',
  ])
  expect(withProbes(asking({ probes: { relearn: { steps: 4, every: 2 } } }))!.task.probes).toMatchObject({
    relearn: { steps: 4 },
    linear: { penalty: 1e-3 },
  })
  const { stderr, code } = await cli(['run', 'fashion-mnist-5k-16.ddpm-unet.class-0', '--method', 'ft', '--probes'])
  expect(stderr).toContain(
    '--probes: fashion-mnist-5k-16.ddpm-unet.class-0 is of generation, which has none; leave it out',
  )
  expect(code).toBe(2)
})
