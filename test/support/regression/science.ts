/** What a loss of the third task may look at, its evidence, its metrics, and a method for it. */
import { z } from 'zod'
import { readSafetensors, writeSafetensors } from '../../../runner/formats/safetensors.ts'
import type { Expr, Push } from '../../../runner/science/expression.ts'
import { defineMethod, unlearningOf } from '../../../runner/science/method.ts'
import type { MetricDefinition } from '../../../runner/science/metric.ts'
import { defineScience, EVIDENCE, fileOf } from '../../../runner/science/task.ts'

export interface Line {
  batch: { items: Int32Array; batchSize: number }
  values: { readonly wanted: Expr; readonly predicted: Expr }
  verbs: object
}

export const lineValues = (push: Push): Line['values'] => ({
  get wanted() {
    return push('wanted', [])
  },
  get predicted() {
    return push('predicted', [], { net: null, evaluation: false })
  },
})

/** Squared errors of every point of D_f and of D_r. */
export interface Errors {
  forget: Float32Array
  retain: Float32Array
}

export const encodeErrors = ({ forget, retain }: Errors): Uint8Array<ArrayBuffer> =>
  writeSafetensors(
    new Map([
      ['forget', { dtype: 'F32', shape: [forget.length], data: forget }],
      ['retain', { dtype: 'F32', shape: [retain.length], data: retain }],
    ]),
  )

const meanError = (set: keyof Errors, title: string): MetricDefinition<Errors> => ({
  title,
  definition: `Mean squared error on ${set === 'forget' ? 'D_f' : 'D_r'}.`,
  unit: '',
  version: 1,
  named: `${set}-error/mean@1`,
  better: 'closer-to-retrain',
  compute: (errors) => errors[set].reduce((sum, error) => sum + error, 0) / errors[set].length,
})

export const regression = defineScience<Errors>({
  metrics: { 'forget-error': meanError('forget', 'FE'), 'retain-error': meanError('retain', 'RE') },
  files: [EVIDENCE],
  decode(files) {
    const { tensors } = readSafetensors(fileOf(files, EVIDENCE))
    const of = (set: string) => tensors.get(set)?.data as Float32Array
    return { forget: of('forget'), retain: of('retain') }
  },
})

/** Climbs the error on D_f. */
export const climb = defineMethod({
  title: 'Climb',
  summary: 'Climbs the squared error on D_f.',
  paper: null,
  version: 1,
  on: {
    regression: unlearningOf<Line>()({
      params: z.strictObject({ passes: z.int().min(1).default(3).describe('Passes over D_f.') }),
      async run({ params, trainer, forget }) {
        await trainer.sgd({ learningRate: 0.01, momentum: 0, weightDecay: 0 }).descend(
          [
            {
              on: { items: forget, batchSize: 4 },
              loss: ({ predicted, wanted, subtract, square, mean }) => mean(square(subtract(predicted, wanted))),
              weight: -1,
            },
          ],
          { passes: params.passes },
        )
      },
    }),
  },
})
