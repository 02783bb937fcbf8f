/** Types of libsvm-js, which ships none: the part that svc-thread.ts uses. */
declare module 'libsvm-js' {
  /** LIBSVM's C-SVC (type 0) with an RBF kernel (kernel 2), compiled to WebAssembly. */
  class Svm {
    constructor(options: { type: '0'; kernel: '2'; cost: number; gamma: number; cacheSize?: number; quiet?: boolean })
    train(samples: number[][], labels: number[]): void
    predict(samples: number[][]): number[]
  }
  const loaded: Promise<typeof Svm>
  export default loaded
}
