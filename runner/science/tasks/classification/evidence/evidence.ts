/** What is measured of a classifier before any metric. */
import type { Labels } from '../../../../formats/labels.ts'
import type { MetricDefinition } from '../../../metric.ts'
import type { Probed } from './probed.ts'

/** What a model answered for a set of examples. */
export interface Answers {
  /** [n, classes], row-major. */
  logits: Float32Array
  /** True class of each example. */
  labels: Labels
}

export interface Evidence {
  classes: number
  /** D_f, D_r and the test set, each in dataset order. */
  forget: Answers
  retain: Answers
  test: Answers
  /** The class of a class-wise request, whose test examples TA and MIA leave out; null for any other request. */
  forgottenClass: number | null
  /** The same of a request that names several. */
  forgottenClasses?: readonly number[]
  /** Where the benchmark asks for probes. */
  probed?: Probed
}

/** All classes whose test examples count for nothing. */
export const forgottenOf = ({ forgottenClass, forgottenClasses = [] }: Evidence): readonly number[] =>
  forgottenClass === null ? forgottenClasses : [forgottenClass]

export const defineMetric = (definition: MetricDefinition<Evidence>): MetricDefinition<Evidence> => definition
