/** Every built-in method of classifiers comes to the same weights through the border of the sandbox: what a method asks leaves as data,
 *  is checked, and is recorded again. The engine in between is left out, which one-file.test.ts has. */
import { expect, test } from 'vitest'
import { argumentsFor } from '../../runner/sandbox/arguments.ts'
import { type Answer, answerOf, borderOf, valueIn } from '../../runner/sandbox/inside/border.ts'
import { randomOf, trainerOf } from '../../runner/sandbox/inside/trainer.ts'
import { LIMITS } from '../../runner/sandbox/limits.ts'
import { verbsOf } from '../../runner/sandbox/verbs.ts'
import type { RandomStream, TaskTypes, Trainer } from '../../runner/science/method.ts'
import type { ClassifierTypes } from '../../runner/science/tasks/classification/vocabulary.ts'
import { tinyNetwork, toySplit } from '../support/toy.ts'
import { type MethodCase, methodCases, runMethod, variantsOf } from '../support/toy-methods.ts'

const facts = { population: toySplit(90).count, imageShape: tinyNetwork.inputShape }

/** The trainer as a method in the sandbox sees it. */
function behindBorder(trainer: Trainer<ClassifierTypes>): Trainer<ClassifierTypes> {
  const schemas = argumentsFor({ ...facts, parameters: trainer.parameters }, LIMITS)
  const random: RandomStream = { integer: () => 0, shuffle: (items) => items, uniform: () => 0, normal: () => 0 }
  const { atOnce, computing } = verbsOf({
    context: { trainer, random },
    schemas,
    invoke: (lent, name, given) =>
      valueIn(answerOf(border.invoke(lent, name, ...(answerOf(given) as Answer as [string])))),
  })
  let calls = 0
  const border = borderOf((verb, ...words) => {
    const given = valueIn(words as Answer)
    try {
      if (atOnce[verb]) return answerOf({ value: atOnce[verb](given) })
      const call = calls++
      const outcome = computing[verb]!((given as { given: unknown }).given) as Promise<unknown>
      outcome.then((value) => border.settle(call, ...(answerOf(value ?? null) as [string, ...ArrayBuffer[]])))
      return answerOf({ call })
    } catch (error) {
      return answerOf({ fault: (error as Error).message })
    }
  })
  expect(randomOf(border).integer(3)).toBe(0)
  return trainerOf(border, trainer.parameters)
}

const throughBorder = (trainer: Trainer<TaskTypes>) =>
  behindBorder(trainer as unknown as Trainer<ClassifierTypes>) as unknown as Trainer<TaskTypes>

const ofClassifiers = methodCases.filter(({ task }) => task === 'classification')

test.each(ofClassifiers.map((one): [string, MethodCase] => [one.id, one]))(
  '%s comes to the same weights, whatever branch its parameters choose',
  async (_, one) => {
    const given = [{}, ...variantsOf(one).map(({ change }) => change)]
    for (const params of given) {
      const through = await runMethod(one, params, { watch: throughBorder })
      expect(through, JSON.stringify(params)).toEqual(await runMethod(one, params))
    }
  },
)
