/** What population metrics look at of a model: the margin of every example, which is the logit-scaled confidence ln p - ln(1 - p) of
 *  its true class, and how often it is right. */
import { MetricError } from '../../../metric.ts'
import type { PopulationMetric, Populations } from '../../../population.ts'
import { answersOf, countCorrect, setNames } from './answers.ts'
import type { Evidence } from './evidence.ts'
import { marginsOf } from './uncertainty.ts'

type SetName = keyof typeof setNames

export interface Shadow {
  margins: Record<SetName, Float64Array>
  /** From 0 to 1. */
  accuracy: Record<SetName, number>
}

export const definePopulationMetric = (definition: PopulationMetric<Shadow>): PopulationMetric<Shadow> => definition

export function shadowOf(evidence: Evidence): Shadow {
  const of = <Value>(look: (answers: ReturnType<typeof answersOf>) => Value) =>
    Object.fromEntries(
      (Object.keys(setNames) as SetName[]).map((set) => [set, look(answersOf(evidence, set))]),
    ) as Record<SetName, Value>
  return {
    margins: of(marginsOf),
    accuracy: of((answers) => countCorrect(answers) / answers.labels.length),
  }
}

/** The margins of one set, a row of models for each example. */
export function marginsByExample(models: readonly Shadow[], set: SetName): Float64Array[] {
  const [first] = models
  if (!first) throw new MetricError('expected models on both sides, got none on one')
  const count = first.margins[set].length
  const other = models.find(({ margins }) => margins[set].length !== count)
  if (other)
    throw new MetricError(
      `${setNames[set]}: expected the same ${count} examples of every model, got ${other.margins[set].length} of one`,
    )
  const rows = Array.from({ length: count }, () => new Float64Array(models.length))
  for (const [model, { margins }] of models.entries()) {
    for (let example = 0; example < count; example++) rows[example]![model] = margins[set][example]!
  }
  return rows
}

/** Both sides of one set, example by example. */
export function pairsOfRows(
  { unlearned, retrained }: Populations<Shadow>,
  set: SetName,
): (readonly [unlearned: Float64Array, retrained: Float64Array])[] {
  const [own, other] = [marginsByExample(unlearned, set), marginsByExample(retrained, set)]
  if (own.length !== other.length)
    throw new MetricError(
      `${setNames[set]}: expected the examples of the retrained models, ${other.length} of them, got ${own.length}`,
    )
  return own.map((row, example) => [row, other[example]!] as const)
}
