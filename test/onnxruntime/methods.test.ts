/** Every method of the folder keeps the contract, on every task that it is on: it runs on a toy, repeats under a seed, stops on
 *  abort, and goes on from a checkpoint as if it had never stopped, whatever branch its parameters choose. */
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { type Mask, onesOf } from '../../runner/science/mask.ts'
import type { OptimizerOptions, SgdOptions } from '../../runner/science/method.ts'
import { drawLabels, randomLabels, relabelPass } from '../../runner/science/methods/parts/relabel.ts'
import type { ClassifierTerm } from '../../runner/science/tasks/classification/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { cutAndContinued } from '../support/cut.ts'
import { toySplit, toyTrainer } from '../support/toy.ts'
import { methodCases, numbersOf, runMethod, toyOf, variantsOf } from '../support/toy-methods.ts'

test.each([...methods])(
  '%s has a title, a sentence and either trains or runs',
  (id, { title, summary, trainsOn, on }) => {
    expect(title).toBeTruthy()
    expect(summary).toMatch(/\.$/)
    expect(id).toMatch(/^[a-z0-9-]+$/)
    expect(Object.keys(on).length > 0).not.toBe(trainsOn !== undefined)
  },
)

const named = methodCases.map((one) => [`${one.id} on ${one.task}`, one] as const)
const initial = (task: string) =>
  new Map([...toyOf(task).trainer.state()].map(([name, { data }]) => [name, data as Float32Array]))

describe.each(named)('%s', (_, one) => {
  const { task, unlearning } = one
  const whole = () => runMethod(one, {})

  test('has defaults, and refuses a parameter it does not know', () => {
    expect(unlearning.params.parse({})).toBeTypeOf('object')
    expect(() => unlearning.params.parse({ nonsense: 1 })).toThrow(/nonsense/)
  })

  test('moves the weights to finite values, the same under the same seed and others under another', async () => {
    const { weights, losses } = await whole()
    expect(weights).not.toEqual(initial(task))
    expect(flatten(weights).every(Number.isFinite)).toBe(true)
    expect(await whole()).toEqual({ weights, losses })
    expect((await runMethod(one, {}, { seed: 1 })).weights).not.toEqual(weights)
  })

  test('stops on abort', async () => {
    await expect(runMethod(one, {}, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })

  test('stopped anywhere and continued, comes to the same weights and losses', async () => {
    const expected = await whole()
    for (const how of [{ every: 1 }, { every: 3, chances: 3 }]) {
      const { result, attempts } = await cutAndContinued((cutting) => runMethod(one, {}, cutting), how)
      expect(result, JSON.stringify(how)).toEqual(expected)
      if (how.every === 1) expect(attempts).toBeGreaterThan(2)
    }
  })

  test('each of its numbers changes what becomes of the weights', async () => {
    for (const { change, before } of numbersOf(one)) {
      const { weights } = await runMethod(one, change)
      expect(weights, JSON.stringify(change)).not.toEqual((await runMethod(one, before)).weights)
    }
  })

  const variants = variantsOf(one).map((variant) => [JSON.stringify(variant.change), variant] as const)
  if (variants.length === 0) return
  test.each(variants)('with %s goes another way, and on from there where it is stopped', async (_, variant) => {
    const { change, before } = variant
    const expected = await runMethod(one, change)
    expect(expected.weights).not.toEqual((await runMethod(one, before)).weights)
    expect(flatten(expected.weights).every(Number.isFinite)).toBe(true)
    const { result } = await cutAndContinued((cutting) => runMethod(one, change, cutting), { every: 2 })
    expect(result).toEqual(expected)
  })
})

const caseOf = (id: string, task: string) => methodCases.find((one) => one.id === id && one.task === task)!

describe.each(['classification', 'generation'])('salun on %s', (task) => {
  const density = 0.3
  const salun = caseOf('salun', task)

  /** The mask that its optimizer got, and what its weights went through. */
  async function masked(params: Record<string, unknown>) {
    let mask: Mask | undefined
    const { weights } = await runMethod(
      salun,
      { ...(params.mask !== 'none' && { density }), ...params },
      {
        watch: (trainer) => ({
          ...trainer,
          sgd: (options: SgdOptions) => see(options) ?? trainer.sgd(options),
          adam: (options: OptimizerOptions) => see(options) ?? trainer.adam(options),
        }),
      },
    )
    function see(options: OptimizerOptions): undefined {
      mask = options.mask
    }
    const names = toyOf(task).trainer.parameters.map(({ name }) => name)
    const all = (values: ReadonlyMap<string, Float32Array>) => names.flatMap((name) => [...values.get(name)!])
    const [before, after] = [all(initial(task)), all(weights)]
    return {
      entries: mask && names.flatMap((name) => [...mask!.get(name)!]),
      moved: after.map((value, i) => !Object.is(value, before[i])),
    }
  }
  const kinds = ['saliency', 'random', 'inverted'] as const

  test.each(kinds)('the mask %s has int(density * N) ones; the weights outside stay bit for bit', async (kind) => {
    const { entries, moved } = await masked({ mask: kind })
    const free = entries!.filter(Boolean).length
    expect(free).toBe(onesOf(density, moved.length))
    expect(moved.filter((is, i) => is && !entries![i]).length).toBe(0)
    expect(moved.filter(Boolean).length).toBeGreaterThan(0)
    if (kind !== 'inverted') expect(moved.filter(Boolean).length).toBeGreaterThan(free / 2)
  })

  // Adam here decays no weights, so that a masked gradient would freeze as hard.
  test.runIf(task === 'classification')('with the gradient alone masked, weight decay moves the others', async () => {
    const { entries, moved } = await masked({ freeze: 'gradient' })
    expect(moved.filter((is, i) => is && !entries![i]).length).toBeGreaterThan(moved.length / 2)
  })

  test('saliency takes the weights with the largest gradients, the control the smallest, and chance neither', async () => {
    const { trainer } = toyOf(task)
    const masks = await Promise.all(kinds.map(async (kind) => (await masked({ mask: kind })).entries!))
    expect(masks[0]!.filter((entry, i) => entry && masks[2]![i]).length).toBe(0)
    const common = (a: number[], b: number[]) =>
      a.filter((entry, i) => entry && b[i]).length / onesOf(density, a.length)
    // Of a random mask 0.3 are in any other, with a standard deviation below 0.03 over more than 500 ones.
    const [salient, random, inverted] = masks as [number[], number[], number[]]
    for (const other of [salient, inverted]) expect(Math.abs(common(random, other) - density)).toBeLessThan(0.15)
    await trainer.release()
  })

  test('without a mask it is rl', async () => {
    const none = await runMethod(salun, { mask: 'none' })
    expect(none).toEqual(await runMethod(caseOf('rl', task), {}))
    expect((await masked({ mask: 'none' })).entries).toBe(undefined)
  })
})

test.each([3, 9])('l1-sparse with %i of 3 epochs without L1 is ft', async (epochsWithoutL1) => {
  const { weights } = await runMethod(caseOf('l1-sparse', 'classification'), { epochsWithoutL1 })
  expect(weights).toEqual((await runMethod(caseOf('ft', 'classification'), {})).weights)
})

test('wrong labels are never the true ones and uniform over the others; any labels sometimes are', () => {
  const { labels } = toySplit(90)
  const items = Int32Array.from({ length: 9000 }, (_, i) => i % 90)
  const truth = Array.from(items, (item) => labels[item]!)
  const wrong = drawLabels(items, labels, 10, 'wrong', randomStream(3, 'labels'))
  expect(truth.filter((label, i) => label === wrong[i]).length).toBe(0)
  const any = drawLabels(items, labels, 10, 'any', randomStream(3, 'labels'))
  // 9,000 draws hit the true label with p = 0.1: 900 expected, standard deviation 28.5; five of them either way.
  expect(Math.abs(truth.filter((label, i) => label === any[i]).length - 900)).toBeLessThan(143)
})

test('a mixed pass takes more items than a call takes arguments, each with its own label', async () => {
  const items = Int32Array.from({ length: 400_000 }, (_, i) => i)
  const [forget, retain] = [items.subarray(0, 150_000), items.subarray(150_000)]
  const labels = new Uint8Array(items.length)
  const trainer = toyTrainer()
  const terms: ClassifierTerm[] = []
  const recorder = {
    descend: async ([term]: readonly ClassifierTerm[]) => {
      terms.push(term!)
      return 0
    },
    takeAverage: async () => {},
    own: async () => new Float32Array(),
  }
  const params = randomLabels.parse({ passes: 'mixed', labels: 'wrong' })
  const random = randomStream(3, 'labels')
  const context = {
    params,
    trainer,
    verbs: { imageShape: [1, 28, 28] },
    forget,
    retain,
    forgotten: [],
    labels,
    classes: 10,
    random,
  }
  await relabelPass(context, recorder)
  const [{ on }] = terms as [ClassifierTerm]
  expect(terms).toHaveLength(1)
  expect(on.items).toEqual(items)
  // All true labels are 0: 0 is wanted on D_r only.
  const wanted = Int32Array.from(on.labels!)
  expect(wanted.indexOf(0)).toBe(150_000)
  expect(wanted.subarray(150_000).every((label) => label === 0)).toBe(true)
})
