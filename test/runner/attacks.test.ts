/** Attacks on D_f beside the paper's MIA: values of PyTorch and scikit-learn, and what holds by hand where those lose digits. */
import { describe, expect, test } from 'vitest'
import { svcWith } from '../../runner/engine/svc.ts'
import { metricsOf } from '../../runner/science/catalogue/catalogue.ts'
import type { MetricTools } from '../../runner/science/metric.ts'
import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { auc, shareAbove } from '../../runner/science/tasks/classification/evidence/separation.ts'
import * as uncertainty from '../../runner/science/tasks/classification/evidence/uncertainty.ts'
import { answersByExample } from '../../runner/science/tasks/classification/examples.ts'
import { goldenJson } from './golden.ts'
import { evidenceOf } from './golden-answers.ts'

const unasked = () => {
  throw new Error('asked for a tool that it does not need')
}
const metrics = metricsOf('classification')
const tools: MetricTools = { fitSvc: svcWith(() => {}), multiply: unasked, shuffles: unasked }

const measures = {
  loss: uncertainty.lossesOf,
  margin: uncertainty.marginsOf,
  entropy: uncertainty.entropiesOf,
  'm-entropy': uncertainty.modifiedEntropiesOf,
  'm-entropy-released': uncertainty.releasedModifiedEntropiesOf,
  correctness: uncertainty.correctnessOf,
}

function goldenOf(name: string) {
  const golden = goldenJson(`metrics/attacks-${name}.json`)
  const evidence = evidenceOf(golden)
  return { evidence, expected: golden.expected as Record<string, number>, ofForget: golden.ofForget }
}

const cases = ['random', 'class', 'known']

describe.each(cases)('on %s', (name) => {
  const { evidence, expected, ofForget } = goldenOf(name)

  test.each(Object.keys(expected))('%s is that of PyTorch and scikit-learn', async (id) => {
    const value = await metrics.get(id)!.compute(evidence, tools)
    expect(value).toBeCloseTo(expected[id]!, 9)
  })

  test.each(Object.entries(measures))('the %s of each example is that of PyTorch', (id, measure) => {
    const found = measure(evidence.forget)
    for (const [example, value] of (ofForget[id] as number[]).entries()) {
      expect(Math.abs(found[example]! - value), `${example}`).toBeLessThanOrEqual(2e-7 * Math.max(1, Math.abs(value)))
    }
  })
})

test('random labels show on the other side of the AUC than what is still known', async () => {
  const aucOf = (name: string) => metrics.get('auc-confidence')!.compute(goldenOf(name).evidence, tools)
  expect(await aucOf('random')).toBeLessThan(45)
  expect(await aucOf('known')).toBeGreaterThan(55)
})

test('AUC is the share of pairs, equal ones counting half', () => {
  // Against 1, 2, 2: 2 is above one and equal to two, 3 is above three; (1 + 2 / 2 + 3) / 6
  expect(auc(Float64Array.of(2, 3), Float64Array.of(2, 1, 2))).toBeCloseTo((100 * 5) / 6, 12)
  expect(auc(Float64Array.of(7, 7), Float64Array.of(7))).toBe(50)
})

test('of 250 test examples two may lie above the threshold, of fewer than 100 none', () => {
  const others = Float64Array.from({ length: 250 }, (_, i) => i)
  // The third largest, 247, is the threshold; 247 itself is not above it.
  expect(shareAbove(Float64Array.of(0, 247, 247.5, 300), others, 1)).toBe(50)
  expect(shareAbove(Float64Array.of(5, 98, 99), others.subarray(0, 99), 1)).toBeCloseTo(100 / 3, 12)
})

/** Two-class examples of class 0 in which it leads by so much. */
const leading = (...leads: number[]): Answers => ({
  logits: Float32Array.from(leads.flatMap((lead) => [lead, 0])),
  labels: new Uint8Array(leads.length),
})

test('examples are told apart where the confidence of both is 1 in any precision', async () => {
  // 1 - p is exp(-60) and exp(-50), or beyond what a number holds.
  const evidence: Evidence = {
    classes: 2,
    forgottenClass: null,
    forget: leading(60, 2000),
    retain: leading(1),
    test: leading(50, 1000),
  }
  expect(await metrics.get('auc-confidence')!.compute(evidence, tools)).toBe(75) // 60 above 50, 2000 above both
  expect(uncertainty.marginsOf(evidence.forget)).toEqual(Float64Array.of(60, 2000))
  expect(uncertainty.lossesOf(evidence.forget)).toEqual(Float64Array.of(Math.fround(Math.exp(-60)), 0))
  expect(uncertainty.marginsOf({ ...evidence.forget, labels: Uint8Array.of(1, 1) })).toEqual(
    Float64Array.of(-60, -2000),
  )
})

test('entropy and modified entropy are finite where a probability is 0', () => {
  const sure = leading(2000)
  const wrong = { ...sure, labels: Uint8Array.of(1) }
  expect(uncertainty.entropiesOf(sure)).toEqual(Float64Array.of(0))
  expect(uncertainty.modifiedEntropiesOf(sure)).toEqual(Float64Array.of(0))
  // Sure and wrong: -ln p of the true class, 2000, and -ln(1 - p) of the other, 2000 times 1.
  expect(uncertainty.entropiesOf(wrong)).toEqual(Float64Array.of(0))
  expect(uncertainty.modifiedEntropiesOf(wrong)).toEqual(Float64Array.of(4000))
})

test('each example is written with the measures of the attacks', async () => {
  const { evidence, ofForget } = goldenOf('random')
  const { columns, rows } = await answersByExample(evidence, tools)
  expect(columns).toEqual([
    ...['set', 'example', 'label', 'predicted', 'correct'],
    ...['confidence', 'entropy', 'm-entropy', 'loss', 'margin', 'mia'],
  ])
  const [first] = rows as [(string | number)[]]
  for (const id of ['entropy', 'm-entropy', 'loss', 'margin']) {
    expect(first[columns.indexOf(id)], id).toBeCloseTo(ofForget[id][0], 5)
  }
  expect(rows).toHaveLength(evidence.forget.labels.length + evidence.retain.labels.length + evidence.test.labels.length)
})
