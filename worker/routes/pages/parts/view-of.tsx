/** The view of each task: its own, and general words and charts for the rest. */
import type { Run } from '../../../../schema/api/run.ts'
import type { StageSpec } from '../../../../schema/stage.ts'
import { tasks } from '../../../../schema/task.ts'
import { titleOf } from '../../../http/catalogue.ts'
import * as modules from '../../../tasks/index.ts'
import { GapChart } from '../../../views/charts/gap-chart.tsx'
import { TradeOffChart } from '../../../views/charts/trade-off-chart.tsx'
import { SampleGrids } from '../../../views/sample-grids.tsx'
import type { ShownRun } from '../../../views/stage-list.tsx'
import type { TaskView } from '../../../views/task-view.ts'

const views: ReadonlyMap<string, Partial<TaskView>> = new Map(Object.entries(modules))

const usual: TaskView = {
  facts: () => null,
  below: (board) =>
    board.ordering.by === 'avg-gap' ? <GapChart rows={board.rows} /> : <TradeOffChart board={board} />,
  samples: (run, samples) => <SampleGrids run={run} samples={samples} />,
  stageTitle: () => null,
  sameSeed: 'initialisation and order of batches',
  docs: () => null,
}

export const viewOf = (task: string): TaskView => ({ ...usual, ...views.get(task) })

/** A run whose stages have titles. */
export const titled = (run: Run): ShownRun => {
  const task = run.benchmark.task.id
  return { ...run, stages: run.stages.map((stage) => ({ ...stage, title: stageTitle(task, stage.spec) })) }
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function stageTitle(task: string, spec: StageSpec): string {
  const own = viewOf(task).stageTitle(spec)
  if (own) return own
  const other = spec.task === task ? undefined : tasks.get(spec.task)
  switch (spec.kind) {
    case 'train':
      if (other) return `Train ${spec.model.id} for ${other.title.toLowerCase()}`
      if (spec.draws) return 'Train on the retain set once more, with other draws'
      return spec.without ? 'Train on the retain set' : 'Train the original'
    case 'unlearn':
      return `Unlearn with ${titleOf(spec.method.id)}`
    default:
      return capitalised(spec.kind)
  }
}
