/** Ops that keep a part of their entries in place, or turn their order. */
export { same as ReverseSequence, same as Trilu } from '../geometry.ts'
