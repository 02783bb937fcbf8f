/** What a case of a gradient rule is made of: inputs away from kinks and ties, constants, and graphs of one node. */
import type { Value } from '../../../runner/engine/onnx/graph.ts'
import type { AttributeInput, Ops } from '../../../runner/engine/onnx/ops.ts'
import { arrays, int64s, type Shape, sizeOf, tensor } from '../../../runner/engine/onnx/tensor.ts'
import type { Build, Input } from '../gradient-check.ts'
import { uniformAt, uniforms } from '../uniform.ts'

let seed = 1000
export const between =
  (low: number, high: number) =>
  (...shape: number[]): Input => ({ shape, data: uniforms(seed++, sizeOf(shape), low, high) })
export const any = between(-1, 1)
export const positive = between(0.5, 2)
export const inside = between(-0.8, 0.8)

/** Entries of [-2, 2] that keep a distance from each other and from 0, in random order: no ties, no kinks at 0. */
export function apart(...shape: number[]): Input {
  const count = sizeOf(shape)
  const stream = seed++
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => uniformAt(stream, a) - uniformAt(stream, b))
  const even = count + (count % 2)
  return { shape, data: Float32Array.from(order, (rank) => (4 * (rank + 0.5)) / even - 2) }
}

/** A constant of the precision that `like` has. */
export const numbers = (ops: Ops, like: Value, shape: Shape, data: readonly number[]): Value =>
  ops.constant(tensor(like.type, shape, arrays[like.type as 'float32'].from(data)))
export const indices = (ops: Ops, shape: Shape, data: readonly number[]): Value => ops.constant(int64s(shape, data))
export const flag = (ops: Ops, shape: Shape, data: readonly number[]): Value =>
  ops.constant(tensor('bool', shape, Uint8Array.from(data)))

export const node =
  (op: string, attributes: Record<string, AttributeInput> = {}, outputs = 1): Build =>
  (ops, ...x) =>
    ops.emit(op, x, attributes, { outputs })
/** A node whose inputs after the first are constant int64 lists. */
export const listed =
  (
    op: string,
    lists: readonly (readonly number[])[],
    attributes: Record<string, AttributeInput> = {},
    outputs = 1,
  ): Build =>
  (ops, x) =>
    ops.emit(op, [x!, ...lists.map((list) => ops.list(list))], attributes, { outputs })

/** What central differences are taken of; without, `build`. */
export type Case = [title: string, inputs: Input[], build: Build, forward?: Build]
export const unary = (op: string, input: Input): Case[] => [['', [input], node(op)]]
/** What an input is, as a constant that no gradient reaches. */
export const held = (ops: Ops, like: Value, { shape, data }: Input) => numbers(ops, like, shape, [...data])
