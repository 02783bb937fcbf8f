/** Feeds of programs that stay the same over a run: masks, and the tensors of kept models. */
import { ExpressionError } from '../../science/expression.ts'
import { type Mask, maskOf } from '../../science/mask.ts'
import { feedName } from '../nn/variables.ts'
import { type Tensor, tensor } from '../onnx/tensor.ts'
import type { Memory } from './memory.ts'
import type { Objective } from './objective.ts'
import { keptBy, keptSlot } from './step-program.ts'

export const maskFeeds = ({ parameters }: Pick<Objective, 'parameters'>, mask: Mask): Record<string, Tensor> =>
  Object.fromEntries(
    parameters.map(({ name, shape }) => [feedName(name, 'mask'), tensor('bool', shape, maskOf(mask, name))]),
  )

/** Tensors of the kept models that a program looks at. */
export function keptFeeds(
  { parameters, buffers }: Pick<Objective, 'parameters' | 'buffers'>,
  memory: Memory,
  shape: Parameters<typeof keptBy>[0],
): Record<string, Tensor> {
  const { nets, weights } = keptBy(shape)
  const feeds: Record<string, Tensor> = {}
  const feed = (number: number, variables: readonly { name: string }[]) => {
    const kept = memory.kept[number]
    if (!kept) throw new ExpressionError(`there is no kept model ${number}`)
    for (const { name } of variables) {
      const values = kept.values.get(name)
      if (!values) throw new ExpressionError(`the kept model ${number} has no ${name}, so it can't answer`)
      feeds[feedName(name, keptSlot(number))] = values
    }
  }
  for (const number of new Set([...nets, ...weights])) feed(number, parameters)
  for (const number of nets) feed(number, buffers)
  return feeds
}
