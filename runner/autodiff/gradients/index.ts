/** The table of gradient rules: every export is named after the op it differentiates. */
export * from './elementwise.ts'
export * from './reduction.ts'
