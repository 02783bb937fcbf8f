/** Several classes forgotten at once: what is measured leaves all of them out, and methods that ask which they are act on all. */
import { expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { readArrays } from '../../runner/formats/arrays.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { answersOf } from '../../runner/science/tasks/classification/evidence/answers.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { readAnswers } from '../../runner/science/tasks/classification/evidence/read.ts'
import { ta } from '../../runner/science/tasks/classification/metrics/ta.ts'
import { toyOf } from '../support/toy-methods.ts'

/** The model always answers class 0, of four. */
const answers = (...labels: number[]) => ({
  logits: Float32Array.from(labels.flatMap(() => [2, 0, -1, 0])),
  labels: Uint8Array.from(labels),
})
const evidence: Evidence = {
  classes: 4,
  forget: answers(1, 3),
  retain: answers(0, 2),
  test: answers(0, 1, 2, 3, 3),
  forgottenClass: null,
  forgottenClasses: [1, 3],
}

test('TA is over the test images of the classes that stay', () => {
  expect([...answersOf(evidence, 'test').labels]).toEqual([0, 2])
  // Right about 0, wrong about 2.
  expect(ta.compute(evidence, undefined as never)).toBe(50)
  expect(() => answersOf({ ...evidence, forgottenClasses: [1, 4] }, 'test')).toThrow('forgotten class below 4, got 4')
})

test('evidence says which they are, to whoever reads it', () => {
  const bytes = encodeEvidence(evidence)
  expect(decodeEvidence(bytes)).toEqual(evidence)
  expect(readAnswers(readArrays(bytes))).toEqual(evidence)
  const { forgottenClasses: _, ...one } = { ...evidence, forgottenClass: 1 }
  expect(decodeEvidence(encodeEvidence(one))).toEqual(one)
  const wrong = encodeEvidence({ ...evidence, forgottenClasses: [1, 9] })
  expect(() => decodeEvidence(wrong)).toThrow('expected a forgottenClasses below 4')
  expect(() => readAnswers(readArrays(wrong))).toThrow('expected a forgottenClass below 4')
})

test('Fisher empties the row of each class of the last layer, and no other', async () => {
  const { trainer, asked } = toyOf('classification')
  const unlearning = methods.get('fisher')!.on.classification!
  try {
    const before = await trainer.read()
    const params = unlearning.params.parse({ variant: 'expected', alpha: 1e-12 })
    await unlearning.run({ ...asked, forgotten: [1, 3], params, trainer, random: randomStream(0, 'labels') })
    const after = await trainer.read()
    const { name, size } = trainer.parameters.findLast(({ shape }) => shape.length > 1 && shape[0] === 10)!
    const row = size / 10
    const rowOf = (weights: typeof before, label: number) =>
      [...weights.get(name)!].slice(label * row, (label + 1) * row)
    // Noise of deviation √(10 · 1e-4) around 0 in place of what was there; elsewhere next to none.
    for (let label = 0; label < 10; label++) {
      const moved = rowOf(after, label).map((weight, i) => Math.abs(weight - rowOf(before, label)[i]!))
      if ([1, 3].includes(label)) expect(Math.max(...rowOf(after, label).map(Math.abs))).toBeLessThan(5 * 0.0317)
      else expect(Math.max(...moved)).toBeLessThan(1e-3)
      expect(Math.max(...moved) > 1e-2).toBe([1, 3].includes(label))
    }
  } finally {
    await trainer.release()
  }
})
