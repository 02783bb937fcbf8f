/** The table of gradient rules: every export is named after the op it differentiates. */
export * from './activation.ts'
export * from './elementwise.ts'
export * from './linalg.ts'
export * from './movement.ts'
export * from './normalization.ts'
export * from './pooling.ts'
export * from './reduction.ts'
export * from './softmax.ts'
