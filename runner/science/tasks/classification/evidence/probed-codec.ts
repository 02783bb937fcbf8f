/** Probes among the tensors of evidence: `relearn.curve` [points, 3], `probe.logits` [test, classes], `membership.scores` [pairs, 2]
 *  and `membership.folds` [pairs]. Pure. */
import type { Tensor } from '../../../../formats/safetensors.ts'
import type { Probed } from './probed.ts'

export const probedNames = ['relearn.curve', 'probe.logits', 'membership.scores', 'membership.folds'] as const

/** How a file is read, whoever wrote it. */
interface Reader {
  has(name: string): boolean
  floats(name: string, columns: number): { data: Float32Array; rows: number }
  /** Whole numbers, so many. */
  wholes(name: string, count: number): ArrayLike<number>
  fail(message: string): never
}

export function probedTensors({ curve, logits, membership }: Probed, classes: number): [string, Tensor][] {
  const floats = (data: Float32Array, columns: number): Tensor => ({
    ...{ dtype: 'F32', shape: [data.length / columns, columns] },
    data: Float32Array.from(data),
  })
  return [
    ...(curve ? [['relearn.curve', floats(curve, 3)] as [string, Tensor]] : []),
    ...(logits ? [['probe.logits', floats(logits, classes)] as [string, Tensor]] : []),
    ...(membership
      ? ([
          ['membership.scores', floats(membership.scores, 2)],
          [
            'membership.folds',
            { dtype: 'U8', shape: [membership.folds.length], data: Uint8Array.from(membership.folds) },
          ],
        ] as [string, Tensor][])
      : []),
  ]
}

/** Undefined where there are none. */
export function probedIn(
  { has, floats, wholes, fail }: Reader,
  { classes, tests }: { classes: number; tests: number },
): Probed | undefined {
  if (!probedNames.some(has)) return undefined
  const probed: Probed = {}
  if (has('relearn.curve')) probed.curve = floats('relearn.curve', 3).data
  if (has('probe.logits')) {
    const { data, rows } = floats('probe.logits', classes)
    if (rows !== tests) fail(`expected probe.logits for ${tests} test examples, got ${rows}`)
    probed.logits = data
  }
  if (has('membership.scores') || has('membership.folds')) {
    const { data, rows } = floats('membership.scores', 2)
    probed.membership = { scores: data, folds: wholes('membership.folds', rows) }
  }
  return probed
}
