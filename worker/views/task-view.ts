/** The contract of worker/tasks/: what pages say and show of a task where general words will not do. Its folder's name is the id
 *  that the task has in schema/tasks/. What a task leaves out, and a task without a folder, is shown as view-of.tsx has it. */
import type { Child } from 'hono/jsx'
import type { Ranking } from '../../schema/api/board.ts'
import type { Run } from '../../schema/api/run.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import type { StageSpec } from '../../schema/stage.ts'
import type { Shown } from './sample-grids.tsx'

export interface TaskView {
  /** Further rows, each a `dt` and its `dd`, in the facts of boards and runs. `identities` are those of the values shown. */
  facts(benchmark: Benchmark, identities: string[]): Child
  /** The chart below the table of a board: what orders it. */
  below(board: Ranking): Child
  /** Pictures that models drew: of original, retrain and the run. */
  samples(run: Run, samples: Shown[]): Child
  /** The title of a stage; null where its kind says it. */
  stageTitle(spec: StageSpec): string | null
  /** What equal seeds have in common, beside the data and the recipe. */
  sameSeed: string
  /** Opens its section of the documentation, before its metrics. */
  docs(): Child
}
