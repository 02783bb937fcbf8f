/** The path of an unlearning: the metrics of its weights before it, after each pass, and at its end. */
import { createHash } from 'node:crypto'
import { PATH, type Path, path } from '../../schema/path.ts'
import type { ArtifactRef } from '../../schema/result.ts'
import type { StageOf } from '../../schema/stage.ts'
import { taskNamed } from '../../schema/task.ts'
import { openMetricTools } from '../engine/metric-tools.ts'
import type { Tensor } from '../engine/onnx/tensor.ts'
import type { Watch } from '../engine/training/watching.ts'
import { type Scored, scoreEvidence } from '../science/score.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import type { StageContext } from '../stages/stage.ts'
import type { Observed, TaskModel } from '../stages/task.ts'
import type { Store } from '../store/store.ts'
import { scienceTask } from './tasks.ts'

/** What was seen at one point, as a checkpoint keeps it. */
interface Seen {
  /** Digest of the weights that were looked at. */
  weights: string
  scores: Scored['values']
}

export interface PathRecorder {
  watch: Watch
  /** Whether the last look was at these weights. */
  sawLast(seen: readonly unknown[], state: ReadonlyMap<string, Tensor>): boolean
  /** All looks as an artifact; one beyond the `passes` that were taken is at the end. */
  artifacts(seen: readonly unknown[], passes: number): Promise<Record<string, ArtifactRef>>
  release(): Promise<void>
}

/** Null for a stage that asks for none. Throws ConfigurationError for a task whose models can't be asked along the way. */
export function openPath(
  { task, every, request }: StageOf<'unlearn'>,
  { model, split }: { model: TaskModel } & Pick<Observed, 'split'>,
  context: StageContext,
): PathRecorder | null {
  if (every === undefined) return null
  const { along = [], title } = taskNamed(task)
  if (!model.observe || along.length === 0)
    throw new ConfigurationError(
      `${title.toLowerCase()} can't be looked at every ${every}: its metrics take stages of their own; leave out every`,
    )
  const { store, threads, signal, onProgress } = context
  const observer = model.observe({ split, request }, context)
  const tools = openMetricTools({ threads, signal, onProgress })
  return {
    async watch(state): Promise<Seen> {
      const { values: scores } = await scoreEvidence(scienceTask(task), await observer.evidence(state), along, tools)
      return { weights: digestOf(state), scores }
    },
    sawLast: (seen, state) => (seen as Seen[]).at(-1)?.weights === digestOf(state),
    async artifacts(looks, passes) {
      const seen = looks as Seen[]
      const metrics = Object.entries(seen[0]!.scores).map(([id, { identity }]) => [id, identity])
      const points = seen.map(({ scores }, index) => ({
        pass: index <= passes ? index : null,
        values: Object.fromEntries(Object.entries(scores).map(([id, { value }]) => [id, value])),
      }))
      const file: Path = { every, metrics: Object.fromEntries(metrics), points }
      return { [PATH]: await store.put(new TextEncoder().encode(`${JSON.stringify(file)}\n`)) }
    },
    async release() {
      await observer.release()
      await tools.release()
    },
  }
}

/** That a stage left; null where none was asked for. */
export async function pathIn(artifacts: Readonly<Record<string, ArtifactRef>>, store: Store): Promise<Path | null> {
  const ref = artifacts[PATH]
  return ref ? path.parse(JSON.parse(new TextDecoder().decode(await store.get(ref.sha256)))) : null
}

function digestOf(state: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256')
  for (const { data } of state.values()) hash.update(data as Float32Array)
  return hash.digest('hex')
}
