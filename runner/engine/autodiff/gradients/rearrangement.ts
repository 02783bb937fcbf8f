/** Gradients of ops that keep a part of their entries in place, or turn their order: the op itself, of dy. */
import type { Rule } from './parts/rule.ts'

const again: Rule = ({ ops, node, x: [, ...rest], dy }) => ops.emit(node.op, [dy, ...rest], { ...node.attributes })

/** The upper or lower triangle; the rest is 0. */
export const Trilu = again
/** The first entries of each sequence, as many as it is long, in falling order. */
export const ReverseSequence = again
