/** Ops that work entry by entry: the result has the shape of the input, or that to which the inputs broadcast. */
import { withInputs } from '../arity.ts'
import { elementTypeOf } from '../element-types.ts'
import { broadcastShapes, type Inference, same } from '../geometry.ts'
import { numberOf } from '../graph.ts'

const broadcast: Inference = ({ x }) => [{ type: x[0].type, shape: broadcastShapes(...x.map(({ shape }) => shape)) }]
const comparison: Inference = ({ x }) => [{ type: 'bool', shape: broadcastShapes(...x.map(({ shape }) => shape)) }]

export {
  broadcast as Add,
  broadcast as And,
  broadcast as BitShift,
  broadcast as BitwiseAnd,
  broadcast as BitwiseOr,
  broadcast as BitwiseXor,
  broadcast as Div,
  broadcast as Max,
  broadcast as Mean,
  broadcast as Min,
  broadcast as Mod,
  broadcast as Mul,
  broadcast as Or,
  broadcast as Pow,
  broadcast as PRelu,
  broadcast as Sub,
  broadcast as Sum,
  broadcast as Xor,
  comparison as Equal,
  comparison as Greater,
  comparison as GreaterOrEqual,
  comparison as IsInf,
  comparison as IsNaN,
  comparison as Less,
  comparison as LessOrEqual,
  same as Abs,
  same as BitwiseNot,
  same as Ceil,
  same as Clip,
  same as Cos,
  same as CumSum,
  same as Elu,
  same as Erf,
  same as Exp,
  same as Floor,
  same as Gelu,
  same as HardSigmoid,
  same as HardSwish,
  same as Identity,
  same as LeakyRelu,
  same as Log,
  same as LogSoftmax,
  same as Neg,
  same as Not,
  same as Reciprocal,
  same as Relu,
  same as Round,
  same as Selu,
  same as Sigmoid,
  same as Sign,
  same as Sin,
  same as Softmax,
  same as Softplus,
  same as Sqrt,
  same as Tanh,
}

export const Where: Inference = withInputs(3, ({ x }) => [
  { type: x[1].type, shape: broadcastShapes(...x.map(({ shape }) => shape)) },
])
export const Cast: Inference = ({ node, x }) => [{ type: elementTypeOf(numberOf(node, 'to', 1)), shape: x[0].shape }]
export const Dropout: Inference = ({ x: [{ type, shape }] }) => [
  { type, shape },
  { type: 'bool', shape },
]
