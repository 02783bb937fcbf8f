/** Flags and bits. */
import { broadcastShapes, type Inference, same } from '../geometry.ts'

const broadcast: Inference = ({ x }) => [{ type: x[0].type, shape: broadcastShapes(...x.map(({ shape }) => shape)) }]
const flag: Inference = ({ x }) => [{ type: 'bool', shape: x[0].shape }]

export {
  broadcast as BitShift,
  broadcast as BitwiseAnd,
  broadcast as BitwiseOr,
  broadcast as BitwiseXor,
  broadcast as Xor,
  flag as IsInf,
  flag as IsNaN,
  same as BitwiseNot,
}
