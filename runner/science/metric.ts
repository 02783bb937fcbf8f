/** The contract of metrics/: one metric a file, a pure function of evidence. */

/** What a model answered for a set of examples. */
export interface Answers {
  /** [n, classes], row-major. */
  logits: Float32Array
  /** True class of each example. */
  labels: Uint8Array
}

/** What evaluation measured before any metric. */
export interface Evidence {
  classes: number
  /** D_f, D_r and the test set, each in dataset order. */
  forget: Answers
  retain: Answers
  test: Answers
  /** The class of a class-wise request, whose test examples TA and MIA leave out; null for a random request. */
  forgottenClass: number | null
}

/** Trains a support vector classifier and returns its decision for each query; injected, so that metrics stay pure. */
export type FitSvc = (options: {
  /** One feature per sample. */
  samples: Float64Array
  /** 1 for members, 0 for non-members. */
  labels: Uint8Array
  cost: number
  /** Of the kernel exp(-gamma * (a - b)^2). */
  gamma: number
  /** The decision for each is its class, 1 or 0. */
  queries: Float64Array
}) => Promise<Uint8Array>

export interface MetricTools {
  fitSvc: FitSvc
}

export interface MetricDefinition {
  /** Short name in the field's own words, such as `UA`. */
  title: string
  /** One sentence, with the formula. */
  definition: string
  unit: string
  /** What the number is exactly, such as `mia/svc-confidence@1`; different identities never share a column. */
  identity: string
  version: number
  better: 'closer-to-retrain' | 'smaller' | 'larger'
  /** In `unit`. Throws MetricError when the evidence cannot support it (an empty D_f, say). */
  compute(evidence: Evidence, tools: MetricTools): number | Promise<number>
}

export const defineMetric = (definition: MetricDefinition): MetricDefinition => definition

export class MetricError extends Error {
  override name = 'MetricError'
}
