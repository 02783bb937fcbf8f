/** Metrics of evidence that a user names, whoever saved it, and beside those of a retrained model. */
import type { StageResult } from '../../schema/result.ts'
import { metricsOf, scienceTasks } from '../science/catalogue/catalogue.ts'
import { avgGapOf, gapsOf } from '../science/comparison.ts'
import { isInAvgGap, type MetricTools } from '../science/metric.ts'
import { metricNamed, offeredOn, type Scored, scoreEach, type Unscored } from '../science/score.ts'
import { EVIDENCE, type Foreign, type ScienceTask } from '../science/task.ts'
import { UsageError } from '../words/usage.ts'
import { benchmarks, lookUp } from './catalogue.ts'
import { isRefusal, type NamedFile } from './files-of-arrays.ts'

export interface Recognised {
  task: string
  science: ScienceTask
  evidence: unknown
}

/** Of whatever task can read it; the file beside it stands for all that the task asks for besides. */
export function recognise(
  file: NamedFile & { kind: 'arrays' },
  beside: Foreign | null,
  given: { forgottenClass?: number | undefined },
): Recognised {
  const refusals: string[] = []
  for (const [task, science] of scienceTasks) {
    if (!science.read) continue
    const others = science.files.filter((name) => name !== EVIDENCE)
    if (others.length > 0 && !beside) {
      refusals.push(`${task}: needs ${others.join(', ')} too: give it with --reference FILE`)
      continue
    }
    const files = new Map<string, Foreign>([[EVIDENCE, file], ...others.map((name) => [name, beside!] as const)])
    try {
      return { task, science, evidence: science.read(files, given) }
    } catch (error) {
      if (!isRefusal(error)) throw error
      refusals.push(`${task}: ${error.message}`)
    }
  }
  throw new UsageError(
    [`${file.path}: expected the evidence of a task, got none that can be read:`, ...refusals].join('\n  '),
  )
}

/** Identities up to the first `;` of what such evidence can be asked, or of what is asked of it; of two models where the other is
 *  there. */
export function metricsWanted(
  { science, evidence }: Recognised,
  retrained: Recognised | null,
  asked: string[] | undefined,
): string[] {
  const offered = offeredOn(science, evidence, { reference: retrained ?? undefined })
  const known = new Map(offered.map((each) => [each.identity.split(';')[0]!, each]))
  for (const identity of asked ?? []) {
    if (!retrained && metricNamed(science, identity)?.[1].against) {
      throw new UsageError(
        `--metric ${identity}: compares with a retrained model; give its evidence with --retrain FILE`,
      )
    }
    lookUp('metric of such evidence', known, identity)
  }
  return asked ?? [...known.keys()]
}

export const scoreRecognised = (
  { science, evidence }: Recognised,
  wanted: string[],
  { tools, retrained }: { tools: MetricTools; retrained: Recognised | null },
): Promise<Scored & { unscored: Unscored[] }> =>
  scoreEach(science, evidence, wanted, () => tools, { reference: retrained ?? undefined })

/** Those of one model: what retrain itself can be asked. */
export const ofOneModel = ({ science }: Recognised, wanted: string[]): string[] =>
  wanted.filter((identity) => !metricNamed(science, identity)?.[1].against)

export interface Compared {
  /** Value − retrain's, by metric id. */
  gaps: Record<string, number>
  avgGap: number | null
  /** Ids of the metrics that Avg. Gap is the mean over. */
  over: string[]
}

/** Beside retrain, as boards do it: by the metrics asked for, else by those that the task's benchmarks have. */
export function compareWith(
  { task }: Recognised,
  {
    own,
    retrain,
    asked,
  }: { own: StageResult['metrics']; retrain: StageResult['metrics']; asked: string[] | undefined },
): Compared {
  const named =
    asked ?? [...benchmarks.values()].filter((each) => each.task.id === task).flatMap(({ metrics }) => metrics)
  const over = [...metricsOf(task)]
    .filter(([, metric]) => isInAvgGap(metric) && named.includes(metric.named))
    .map(([id]) => id)
  const valuesOf = (scored: StageResult['metrics']) =>
    Object.fromEntries(Object.entries(scored).map(([id, { value }]) => [id, value]))
  return {
    gaps: gapsOf(valuesOf(own), valuesOf(retrain)),
    avgGap: avgGapOf(valuesOf(own), valuesOf(retrain), over),
    over,
  }
}
