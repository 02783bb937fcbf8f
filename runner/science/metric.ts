/** The contract of metrics: one metric a file in the metrics/ of its task, a pure function of evidence. */
import type { Benchmark } from '../../schema/benchmark.ts'
import type { Multiply } from './matrix.ts'

/** Trains a support vector classifier and returns its decision for each query; injected, so that metrics stay pure. */
export type FitSvc = (options: {
  /** [n, features], row-major. */
  samples: Float64Array
  /** Numbers of each sample; 1 where it is left out. */
  features?: number
  /** 1 for members, 0 for non-members. */
  labels: Uint8Array
  cost: number
  /** Of the kernel exp(-gamma * |a - b|^2). */
  gamma: number
  /** [n, features]; the decision for each is its class, 1 or 0. */
  queries: Float64Array
}) => Promise<Uint8Array>

export type Shuffle = (count: number) => Int32Array

/** What metrics are handed beside evidence, so that they stay pure. */
export interface MetricTools {
  fitSvc: FitSvc
  /** Products of large matrices. */
  multiply: Multiply
  /** A source of orders: each call gives a fresh one of `count` items. Equal purposes start alike. */
  shuffles(purpose: string): Shuffle | Promise<Shuffle>
}

export interface MetricDefinition<Evidence = unknown> {
  /** Short name in the field's own words, such as `UA`. */
  title: string
  /** One sentence, with the formula. */
  definition: string
  unit: string
  /** In tables; two, unless the second says too little. */
  decimals?: number
  /** Raised, in `named` too, when the same evidence gives another number than before. */
  version: number
  better: 'closer-to-retrain' | 'smaller' | 'larger'
  /** Of one that is better the closer it is to retrain: shown with its gap, and no part of Avg. Gap, which is over the metrics of
   *  the paper. */
  besideAvgGap?: true
  /** Set where boards that have places order their rows by it: by the worse of a row's places in these. */
  orders?: true
  /** Set where the number is one of two models: `compute` is handed the evidence of retrain of the same seed as well. It is computed
   *  once both are evaluated, has no gap, and retrain itself has none. */
  against?: 'retain'
  /** What a benchmark must say to have it measured and does not, in words; null where it does. */
  lacks?(benchmark: Pick<Benchmark, 'task' | 'request'>): string | null
  /** What the number is, such as `mia/svc-confidence@1`, by which benchmarks name it; `*` stands for an extractor. Different
   *  identities never share a column. */
  named: string
  /** What it is exactly, `named` and then facts of the evidence; `named` alone where this is left out. Throws MetricError where
   *  the evidence is of another kind. */
  identity?(evidence: Evidence): string
  /** Why the number must be read with care, for people; null when nothing speaks against it. */
  warning?(evidence: Evidence): string | null
  /** In `unit`. Throws MetricError when the evidence cannot support it (an empty D_f, say). */
  compute(evidence: Evidence, tools: MetricTools, reference?: Evidence): number | Promise<number>
}

/** Whether Avg. Gap is the mean over it, among others. */
export const isInAvgGap = ({ better, besideAvgGap }: MetricDefinition): boolean =>
  better === 'closer-to-retrain' && !besideAvgGap

export class MetricError extends Error {
  override name = 'MetricError'
}
