/** What a trainer can be asked about a term without moving the model. */
import { type Expr, ExpressionError, type Operations, record } from '../../science/expression.ts'
import { maskByScore, randomMask } from '../../science/mask.ts'
import type { TaskTypes, Term, Trainer } from '../../science/method.ts'
import type { Parameter } from '../../science/weights.ts'
import { batchesOf, eachGradient, type LookContext, sumGradients, valuesOf } from './look.ts'
import { asArrays, asFloats } from './outcomes.ts'

export interface Asking<T extends TaskTypes>
  extends Pick<Trainer<T>, 'mask' | 'gradient' | 'importance' | 'foldGradients' | 'evaluate' | 'foldValues'> {
  /** Seconds spent on masks, without compiling. */
  maskSeconds(): number
}

export function askingOf<T extends TaskTypes>(context: LookContext<T>, parameters: readonly Parameter[]): Asking<T> {
  const { objective, memory, executor } = context
  const weights = asArrays<Float32Array>('F32')
  let maskSeconds = 0
  const lossOf = (build: (values: T['values'] & Operations) => Expr) => record(build, objective.values)
  const weighted = ({ on, loss, weight = 1 }: Term<T>, phase: string) => ({
    on,
    loss: lossOf(weight === 1 ? loss : (values) => values.multiply(loss(values), weight)),
    phase,
  })
  return {
    mask({ kind, density, of, clipNorm = null }) {
      return memory.perform(asArrays<Uint8Array>('U8'), async (middle) => {
        const [from, compiled] = [performance.now(), executor.compileSeconds()]
        try {
          if (kind === 'random') return randomMask(parameters, density, memory.stream('mask'))
          const sums = await sumGradients(context, weighted(of, 'mask'), { clipNorm, gives: 'sum', middle })
          return maskByScore(sums, { kind, density })
        } finally {
          maskSeconds += (performance.now() - from) / 1000 - (executor.compileSeconds() - compiled)
        }
      })
    },
    gradient: (term, { clipNorm = null } = {}) =>
      memory.perform(weights, (middle) =>
        sumGradients(context, weighted(term, 'gradient'), { clipNorm, gives: 'sum', middle }),
      ),
    importance(term, { together = 1 } = {}) {
      const batches = batchesOf(objective, term.on)
      if (!Number.isInteger(together) || together < 1 || batches % together !== 0)
        throw new ExpressionError(
          `importance: expected \`together\` to divide the ${batches} batches of the term, got ${together}`,
        )
      return memory.perform(weights, async (middle) => {
        const how = { clipNorm: null, gives: 'squares', together, middle } as const
        const sums = await sumGradients(context, weighted(term, 'Fisher information'), how)
        const squares = batches / together
        return new Map([...sums].map(([name, sum]) => [name, sum.map((square) => square / squares)]))
      })
    },
    foldGradients: (term, initial, step) =>
      memory.perform(asFloats, async () => {
        let sum = initial
        let batch = 0
        await eachGradient(context, weighted(term, 'gradients'), (gradient) => {
          sum = step(sum, gradient, batch++)
        })
        return sum
      }),
    evaluate: (on, value) =>
      memory.perform(asFloats, () => valuesOf(context, { on, loss: lossOf(value), phase: 'values' })),
    foldValues: (value, initial, on, step) =>
      memory.perform(asFloats, async () => {
        const loss = lossOf(value)
        let state = initial
        for (let round = 0; ; round++) {
          const next = on(state, round)
          if (!next) return state
          state = step(state, await valuesOf(context, { on: next, loss, phase: 'values' }), round)
        }
      }),
    maskSeconds: () => maskSeconds,
  }
}
