/** Metrics of evidence in the Worker, in TypeScript. What is too much work here is left to a machine with the engine, and named. */
import type { Beside } from '../../../runner/science/pair.ts'
import { type Bounds, plainTools, TooLongError } from '../../../runner/science/plain-tools.ts'
import { scoreEach, type Unscored } from '../../../runner/science/score.ts'
import type { ScienceTask } from '../../../runner/science/task.ts'
import type { StageResult } from '../../../schema/result.ts'

/** Of one metric of one evaluation: at most two seconds each. 20,000 samples are those of CIFAR-10. With features of 64 numbers, 450
 *  generated and 4,500 real images, a Fréchet distance takes 50 million multiplications, precision and recall 1,400 million, KID 3,900
 *  million. */
const BOUNDS: Bounds = { svcSamples: 20_000, svcCacheBytes: 2 ** 23, multiplications: 2e9 }

export interface Computation {
  values: StageResult['metrics']
  /** Metrics that are too much work here. */
  tooLong: string[]
  /** Those that the evidence does not support. */
  unscored: Unscored[]
}

/** Each as the benchmark names it. */
export async function computeHere(
  science: Pick<ScienceTask, 'metrics'>,
  evidence: unknown,
  named: readonly string[],
  { reference }: { reference?: Beside | undefined } = {},
): Promise<Computation> {
  const { values, unscored } = await scoreEach(science, evidence, named, () => plainTools(BOUNDS), { reference })
  const isLong = ({ error }: Unscored) => error instanceof TooLongError
  return {
    values,
    tooLong: unscored.filter(isLong).map((each) => each.named),
    unscored: unscored.filter((each) => !isLong(each)),
  }
}
