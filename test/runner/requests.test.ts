/** A method that forgets classes only says so before anything is computed. */
import { expect, test } from 'vitest'
import { methods, offersOn, paramsOn, resolveParams } from '../../runner/science/catalogue/catalogue.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'

const random = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const classWise = { ...random, request: { kind: 'class' as const, label: 3 } }

test('a method for classes is refused on a random request, and offered on a class', () => {
  const refusal = {
    code: 'unknown_method',
    message:
      '"unsir" forgets a class only; the request is random; choose another method for fashion-mnist-5k.small-cnn.random-10',
  }
  expect(paramsOn(random, 'unsir')).toEqual({ refusal })
  expect(resolveParams(random, 'unsir', {})).toEqual({ refusal })
  expect(offersOn(methods.get('unsir')!, random)).toBe(false)
  expect(offersOn(methods.get('unsir')!, classWise)).toBe(true)
  expect(resolveParams(classWise, 'unsir', {})).toMatchObject({ values: { noiseSteps: 40 } })
})

test('what is known for a task counts only what answers the request', () => {
  const { refusal } = paramsOn(random, 'esd') as { refusal: { message: string } }
  expect(refusal.message).toMatch(/known: .*\bscrub\b/)
  expect(refusal.message).not.toContain('unsir')
})

test('parameters that need held-out images are refused where a benchmark holds out none', () => {
  const holding = { ...random, training: { ...random.training, holdOut: 0.1 } }
  const message =
    'expected images that the original was not trained on, and this benchmark holds out none; set training.holdOut, or leave rewind at none'
  expect(resolveParams(random, 'scrub', { rewind: 'held-out' })).toEqual({
    refusal: { code: 'invalid_parameters', message },
  })
  expect(resolveParams(random, 'scrub', {})).toHaveProperty('values')
  expect(resolveParams(holding, 'scrub', { rewind: 'held-out' })).toMatchObject({ values: { rewind: 'held-out' } })
  const plain = { ...random, presets: {} }
  expect(resolveParams(plain, 'lotus', {})).toHaveProperty('refusal')
  expect(resolveParams({ ...plain, request: classWise.request }, 'lotus', {})).toHaveProperty('values')
})
