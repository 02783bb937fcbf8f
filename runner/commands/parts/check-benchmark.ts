/** What can be told of a benchmark before anything is computed. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import { isUnpinned, picturedOf } from '../../../schema/classes.ts'
import { datasets } from '../../pipeline/catalogue.ts'
import { pinModelFiles } from '../../pipeline/model-file.ts'
import { runnerTask, runnerTasks } from '../../pipeline/tasks.ts'
import { benchmarkFault } from '../../science/catalogue/benchmark-fault.ts'
import type { DataLoader } from '../../stages/data.ts'
import type { DataPlaces } from '../../store/home.ts'
import { note } from '../../terminal/output.ts'
import { UsageError } from '../../words/usage.ts'

/** Everything that can be told before anything is loaded. */
export function checkBenchmark(benchmark: Benchmark): void {
  const architectures = (task: string) => runnerTask(task).architectures
  const fault = benchmarkFault(benchmark, { datasets: datasets.keys(), architectures })
  if (fault !== null) throw new UsageError(fault)
}

/** Throws LocalFault where this machine lacks what stages of these tasks need: of all, for one that takes what it is given. */
export function requireTools(tasks: Iterable<string> = runnerTasks.keys()): void {
  for (const task of tasks) runnerTask(task).requires?.()
}

/** Files that only the last stage needs are asked for first. */
export async function prepareBenchmark(benchmark: Benchmark, places: DataPlaces, signal: AbortSignal): Promise<void> {
  await runnerTask(benchmark.task.id).prepare?.(benchmark, { places, signal, note })
}

/** Images that are held against no hash, such as the user's own: their digest makes sure that stages of other content are not reused.
 *  So it is with models that are files, which are read and held against the images here; `models` says where they lie. */
export async function pinContent(
  benchmark: Benchmark,
  data: DataLoader,
  { places, signal }: { places: DataPlaces; signal: AbortSignal },
): Promise<{ benchmark: Benchmark; models: Record<string, string> }> {
  return await pinModelFiles(await pinImages(benchmark, data, signal), { data, places, signal })
}

async function pinImages(benchmark: Benchmark, data: DataLoader, signal: AbortSignal): Promise<Benchmark> {
  const { path, digest } = benchmark.dataset
  if (path === undefined && (digest !== undefined || !isUnpinned(benchmark.dataset))) return benchmark
  const { dataset } = await data(benchmark.dataset, { signal })
  return { ...benchmark, dataset: { ...benchmark.dataset, digest: dataset.digest } }
}

/** The classes of a dataset, without its images where they are known. */
export async function classesOf(
  { dataset }: Benchmark,
  data: DataLoader,
  signal: AbortSignal,
): Promise<{ classes: string[] }> {
  return picturedOf(dataset) ?? (await data(dataset, { signal })).dataset
}
