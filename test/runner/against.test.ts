/** Metrics of two models: values of NumPy, SciPy and scikit-learn, what retrain itself comes to, and what is no pair. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { svcWith } from '../../runner/engine/svc.ts'
import { metricsOf } from '../../runner/science/catalogue/catalogue.ts'
import type { MetricTools } from '../../runner/science/metric.ts'
import { retrainIn, withoutRetrain } from '../../runner/science/pair.ts'
import { offeredOn, scoreEvidence } from '../../runner/science/score.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Answers, Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { classification } from '../../runner/science/tasks/classification/task.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { digitsOf, floatsOf, goldenJson } from './golden.ts'

afterAll(cleanUp)

const unasked = () => {
  throw new Error('asked for a tool that it does not need')
}
const tools: MetricTools = { fitSvc: svcWith(() => {}), multiply: unasked, shuffles: unasked }

type Packed = Record<'forget' | 'retain' | 'test', { logits: string; labels: string }>
const golden = goldenJson('metrics/against.json')
const answersIn = ({ logits, labels }: Packed['forget']): Answers => ({
  logits: floatsOf(logits),
  labels: digitsOf(labels),
})
const evidenceOf = ({ forget, retain, test }: Packed): Evidence => ({
  classes: golden.classes,
  forgottenClass: null,
  forget: answersIn(forget),
  retain: answersIn(retain),
  test: answersIn(test),
})
const [own, retrain] = [evidenceOf(golden.own), evidenceOf(golden.retrain)]
const expected = golden.expected as Record<string, number>
const metrics = metricsOf('classification')
const ofTwo = [...metrics].filter(([, { against }]) => against).map(([id]) => id)

test('every metric of two models has a value of other software', () => {
  expect(ofTwo.sort()).toEqual(Object.keys(expected).sort())
})

test.each(ofTwo)('%s is that of NumPy, SciPy and scikit-learn', async (id) => {
  expect(await metrics.get(id)!.compute(own, tools, retrain)).toBeCloseTo(expected[id]!, 6)
})

test.each(ofTwo)('%s finds nothing between retrain and itself', async (id) => {
  const best: Record<string, number> = { tow: 1, 'tow-mia': 1, completeness: 100 }
  expect(await metrics.get(id)!.compute(retrain, tools, retrain)).toBe(best[id] ?? 0)
})

test('answers of a sure model that share no class are as far apart as can be', async () => {
  const sure = (label: number): Evidence => ({
    ...own,
    classes: 2,
    forget: { logits: Float32Array.of(label ? 0 : 2000, label ? 2000 : 0), labels: Uint8Array.of(0) },
  })
  expect(await metrics.get('js-retrain')!.compute(sure(0), tools, sure(1))).toBeCloseTo(Math.log(2), 12)
  expect(await metrics.get('activation-distance')!.compute(sure(0), tools, sure(1))).toBeCloseTo(Math.SQRT2, 12)
})

test.each(ofTwo)('%s refuses evidence of other examples', async (id) => {
  const compute = async (reference?: Evidence) => metrics.get(id)!.compute(own, tools, reference)
  const fewer = { logits: retrain.forget.logits.slice(4), labels: retrain.forget.labels.slice(1) }
  await expect(compute({ ...retrain, forget: fewer })).rejects.toThrow(
    'the forget set: expected the examples of the retrained model, 59 of them, got 60',
  )
  const labels = retrain.forget.labels.map((label) => (label + 1) % 4)
  await expect(compute({ ...retrain, forget: { ...retrain.forget, labels } })).rejects.toThrow(/ \(example 0\)$/)
  await expect(compute()).rejects.toThrow(
    'expected the evidence of a retrained model beside that of the model, got none',
  )
})

test('a shift in units of no spread is an error, not infinite', async () => {
  const one = (lead: number): Evidence => ({
    ...own,
    classes: 2,
    forget: { logits: Float32Array.of(lead, 0), labels: Uint8Array.of(0) },
  })
  const compute = async () => metrics.get('margin-shift')!.compute(one(3), tools, one(2))
  await expect(compute()).rejects.toThrow('expected numbers that differ between examples')
})

test('without the evidence of retrain they are not offered; a value that is kept says which evidence it was', async () => {
  const offered = (beside?: Parameters<typeof offeredOn>[2]) => offeredOn(classification, own, beside)
  expect(offered().map(({ id }) => id)).not.toContain('tow')
  const identityIn = (sha256?: string) =>
    offered({ reference: { evidence: retrain, sha256 } }).find(({ id }) => id === 'tow')!.identity
  expect([identityIn(), identityIn('ab12')]).toEqual(['tow/accuracy@1', 'tow/accuracy@1;retrain=ab12'])
  await expect(scoreEvidence(classification, own, ['tow/accuracy@1'], tools)).rejects.toThrow(
    'no metric tow/accuracy@1',
  )
  const reference = { evidence: retrain, sha256: 'ab12' }
  const { values } = await scoreEvidence(classification, own, ['tow/accuracy@1', 'ua/accuracy@1'], tools, { reference })
  expect(values).toMatchObject({
    tow: { identity: 'tow/accuracy@1;retrain=ab12', value: expect.closeTo(expected.tow!, 6) },
    ua: { identity: 'ua/accuracy@1' },
  })
  expect([retrainIn(values.tow!.identity), retrainIn(values.ua!.identity)]).toEqual(['ab12', null])
  expect(withoutRetrain(values.tow!.identity)).toBe('tow/accuracy@1')
})

test('score --retrain computes them of the model, and says what is missing without it', async () => {
  const folder = await temporaryFolder()
  const [path, other] = [join(folder, 'own.safetensors'), join(folder, 'retrain.safetensors')]
  await Promise.all([writeFile(path, encodeEvidence(own)), writeFile(other, encodeEvidence(retrain))])
  const both = JSON.parse((await cli(['score', path, '--retrain', other, '--json'])).stdout)
  for (const id of ofTwo) expect(both[id].value, id).toBeCloseTo(expected[id]!, 6)
  expect(both.comparison.gaps).toHaveProperty('ua')
  expect(both.comparison.gaps).not.toHaveProperty('tow')
  expect(both.comparison.over).toEqual(['mia', 'ra', 'ta', 'ua'])
  const alone = await cli(['score', path, '--json'])
  expect(JSON.parse(alone.stdout)).not.toHaveProperty('tow')
  const asked = await cli(['score', path, '--metric', 'tow/accuracy@1'])
  expect([asked.code, asked.stderr]).toEqual([
    2,
    expect.stringContaining('tow/accuracy@1: compares with a retrained model; give its evidence with --retrain FILE'),
  ])
})
