/** The table of folding rules: every export is named after its op. */
export * from './arithmetic.ts'
export * from './generated.ts'
export * from './indexing.ts'
export * from './layout.ts'
export * from './logic.ts'
export * from './reduction.ts'
