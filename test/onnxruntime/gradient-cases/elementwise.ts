/** Arithmetic, entry by entry: cases of their gradients. */
import { stopGradient } from '../../../runner/engine/onnx/functions.ts'
import { any, apart, between, type Case, flag, held, indices, inside, node, numbers, positive, unary } from './case.ts'

const extremes = (op: string): Case[] => [
  ['two', [apart(2, 5), apart(2, 5)], (ops, a, b) => ops.emit(op, [a!, ops.Add(b!, 0.03)])],
  [
    'three, broadcast',
    [apart(2, 5), apart(5), apart(2, 1)],
    (ops, a, b, c) => ops.emit(op, [a!, ops.Add(b!, 0.07), ops.Add(c!, -0.13)]),
  ],
  ['one', [any(3)], node(op)],
  ['a number', [apart(2, 5)], (ops, x) => (op === 'Max' ? ops.Max(x!, 0.03) : ops.Min(0.03, x!))],
]
const stopped = { x: any(2, 3), y: any(2, 3) }

export const elementwise: Record<string, Case[]> = {
  Identity: unary('Identity', any(3)),
  StopGradient: [
    // d/dx (x * stop(x)) = x
    [
      'of a factor',
      [stopped.x],
      (ops, x) => ops.Mul(x!, stopGradient(ops, x!)),
      (ops, x) => ops.Mul(x!, held(ops, x!, stopped.x)),
    ],
    [
      'of one term',
      [stopped.x, stopped.y],
      (ops, x, y) => ops.Add(ops.Exp(ops.Mul(stopGradient(ops, ops.Sin(x!)), y!)), ops.Mul(x!, y!)),
      (ops, x, y) => ops.Add(ops.Exp(ops.Mul(ops.Sin(held(ops, x!, stopped.x)), y!)), ops.Mul(x!, y!)),
    ],
  ],
  Add: [['broadcast', [any(2, 3, 4), any(3, 1)], node('Add')]],
  Sub: [
    ['broadcast', [any(2, 3), any(3)], node('Sub')],
    ['scalar', [any(), any(2, 3)], node('Sub')],
  ],
  Mul: [
    ['broadcast', [any(2, 1, 4), any(3, 1)], node('Mul')],
    ['square', [any(4)], (ops, x) => ops.Mul(x!, x!)],
  ],
  Div: [['broadcast', [any(2, 3), positive(3)], node('Div')]],
  Neg: unary('Neg', any(3)),
  Abs: unary('Abs', apart(2, 6)),
  Exp: unary('Exp', any(2, 3)),
  Log: unary('Log', positive(2, 3)),
  Sqrt: unary('Sqrt', positive(2, 3)),
  Reciprocal: unary('Reciprocal', positive(2, 3)),
  Sin: unary('Sin', any(2, 3)),
  Cos: unary('Cos', any(2, 3)),
  Erf: unary('Erf', any(2, 3)),
  Pow: [
    ['square', [any(2, 3)], (ops, x) => ops.Pow(x!, 2)],
    ['cube', [any(2, 3)], (ops, x) => ops.Pow(x!, 3)],
    ['root', [positive(2, 3)], (ops, x) => ops.Pow(x!, 0.5)],
    ['zero', [positive(3)], (ops, x) => [ops.Pow(x!, 0), x!]],
    ['both, broadcast', [positive(2, 3), any(3)], node('Pow')],
    ['exponents of a list', [positive(2, 3)], (ops, x) => ops.emit('Pow', [x!, numbers(ops, x!, [3], [0, 1.5, 2])])],
    [
      'negative bases',
      [between(-2, -0.5)(2, 4)],
      (ops, x) => ops.emit('Pow', [x!, numbers(ops, x!, [4], [0, -1, 2, 3])]),
    ],
    ['integer exponents', [positive(2, 3)], (ops, x) => ops.emit('Pow', [x!, indices(ops, [3], [1, 2, -1])])],
  ],
  Sum: [
    ['three, broadcast', [any(2, 3), any(3), any(2, 1)], node('Sum')],
    ['one', [any(2)], node('Sum')],
  ],
  Mean: [['three, broadcast', [any(2, 3), any(3), any(2, 1)], node('Mean')]],
  Max: extremes('Max'),
  Min: extremes('Min'),
  Where: [
    ['broadcast', [any(2, 3), any(3)], (ops, a, b) => ops.Where(flag(ops, [2, 1], [1, 0]), a!, b!)],
    ['scalars', [any(), any(2, 3)], (ops, a, b) => ops.Where(flag(ops, [2, 1], [1, 0]), a!, b!)],
    ['by comparison', [apart(4, 3)], (ops, x) => ops.Where(ops.Greater(x!, 0), ops.Mul(x!, x!), x!)],
  ],
  Cast: [
    ['to double precision', [any(2, 3)], (ops, x) => ops.Cast(ops.Mul(x!, x!), 'float64')],
    [
      'of integers stops',
      [apart(2, 4)],
      (ops, x) => ops.Add(x!, ops.Cast(ops.Cast(ops.Mul(x!, 0.01), 'int32'), x!.type)),
    ],
    ['of flags stops', [apart(2, 4)], (ops, x) => ops.Mul(x!, ops.Cast(ops.Greater(x!, 0), x!.type))],
  ],
  Clip: [
    [
      'both bounds',
      [apart(4, 4)],
      (ops, x) => ops.emit('Clip', [x!, ops.scalar(x!.type, -1), ops.scalar(x!.type, 0.5)]),
    ],
    ['lower bound', [apart(4, 4)], (ops, x) => ops.emit('Clip', [x!, ops.scalar(x!.type, 0)])],
    ['upper bound', [apart(4, 4)], (ops, x) => ops.emit('Clip', [x!, null, ops.scalar(x!.type, 0.5)])],
    [
      'learned bounds',
      [apart(4, 4), inside(), positive()],
      (ops, x, a, b) => ops.emit('Clip', [x!, ops.Sub(ops.Mul(a!, 0.1), 1), ops.Mul(b!, 0.5)]),
    ],
  ],
  ...Object.fromEntries(
    ['Sign', 'Floor', 'Ceil', 'Round'].map((op) => [
      op,
      [['beside its input', [between(0.1, 0.4)(2, 3)], (ops, x) => [ops.emit(op, [x!])[0]!, x!]]] satisfies Case[],
    ]),
  ),
  CumSum: [
    ['', [any(2, 4)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', 1)])],
    ['exclusive', [any(3, 2)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', 0)], { exclusive: 1 })],
    ['reverse', [any(3, 2)], (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', -2)], { reverse: 1 })],
    [
      'exclusive and reverse',
      [any(3, 2)],
      (ops, x) => ops.emit('CumSum', [x!, ops.scalar('int64', 0)], { exclusive: 1, reverse: 1 }),
    ],
  ],
}
