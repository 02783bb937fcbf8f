/** The table of decompositions: every export is named after the op that it writes as others. */
export * from './activation.ts'
export * from './attention.ts'
export * from './elementwise.ts'
export * from './layout.ts'
export * from './normalization.ts'
export * from './recurrent.ts'
export * from './sampling.ts'
