/** What can be told of a benchmark before anything is computed. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import { datasets } from '../../pipeline/catalogue.ts'
import { runnerTask } from '../../pipeline/tasks.ts'
import { benchmarkFault } from '../../science/catalogue/benchmark-fault.ts'
import type { dataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { UsageError } from '../../words/usage.ts'

/** Everything that can be told before anything is loaded. */
export function checkBenchmark(benchmark: Benchmark): void {
  const architectures = (task: string) => runnerTask(task).architectures
  const fault = benchmarkFault(benchmark, { datasets: datasets.keys(), architectures })
  if (fault !== null) throw new UsageError(fault)
}

/** Files that only the last stage needs are asked for first. */
export async function prepareBenchmark(
  benchmark: Benchmark,
  places: ReturnType<typeof dataPlaces>,
  signal: AbortSignal,
): Promise<void> {
  await runnerTask(benchmark.task.id).prepare?.(benchmark, { places, signal, note })
}
