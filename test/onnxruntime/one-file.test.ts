/** A method of one file comes to the weights of the same method built in, bit for bit, wherever it is cut. */
import { describe, expect, test } from 'vitest'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { cutAndContinued } from '../support/cut.ts'
import { exampleOf } from '../support/one-file.ts'
import { runMethod } from '../support/toy-methods.ts'

describe.each(['ft', 'neggrad-plus', 'salun'])('%s', (id) => {
  const builtIn = { id, task: 'classification', unlearning: methods.get(id)!.on.classification! }
  const ofOneFile = async () => ({ ...builtIn, unlearning: await exampleOf(id) })

  test('comes to the same weights and losses as the built-in method', async () => {
    const { weights, losses } = await runMethod(await ofOneFile(), {})
    const expected = await runMethod(builtIn, {})
    expect(losses).toEqual(expected.losses)
    expect(weights).toEqual(expected.weights)
  })

  test('stopped anywhere and continued, comes to the same weights and losses', async () => {
    const one = await ofOneFile()
    const expected = await runMethod(one, {})
    const { result, attempts } = await cutAndContinued((cutting) => runMethod(one, {}, cutting), { every: 2 })
    expect(result).toEqual(expected)
    expect(attempts).toBeGreaterThan(2)
  })
})
