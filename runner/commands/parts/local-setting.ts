/** What commands that compute on this machine prepare alike: everything that can be wrong is said before anything long begins. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { listsOf } from '../../pipeline/request.ts'
import type { DeviceKind } from '../../probe/providers.ts'
import { checkClasses } from '../../stages/check-classes.ts'
import { dataLoader } from '../../stages/data.ts'
import { checkPlaces, dataPlaces, openHome } from '../../store/home.ts'
import { openStore } from '../../store/store.ts'
import { note } from '../../terminal/output.ts'
import { classesOf, pinContent, prepareBenchmark, requireTools } from './check-benchmark.ts'
import { chooseProvider, setPrecision } from './device-choice.ts'
import { onInterrupts } from './interrupts.ts'

export interface LocalOptions {
  data?: string[]
  home?: string
  threads: number
  device: DeviceKind
  precision: string
}

export type LocalContext = Awaited<ReturnType<typeof openLocal>>['context']
export type Setting = LocalContext & { target: Target }

/** The benchmarks with their images pinned, and what stages are run with. `release` ends the handling of interrupts. */
export async function openLocal(
  target: Target,
  { data: folders, threads, device, precision, ...options }: LocalOptions,
) {
  const [benchmark] = target.benchmarks as [Benchmark]
  setPrecision(precision)
  const provider = await chooseProvider(device)
  requireTools([benchmark.task.id])
  const home = await openHome(options.home)
  const { signal, release } = onInterrupts(() => note('Stopping after this chunk; Ctrl-C again ends at once.'))
  try {
    const places = { ...dataPlaces(home, folders), lists: listsOf(target.benchmarks) }
    await checkPlaces(places)
    const data = dataLoader(places)
    const found = await Promise.all(target.benchmarks.map((each) => pinContent(each, data, { places, signal })))
    const benchmarks = found.map(({ benchmark }) => benchmark)
    const models = Object.assign({}, ...found.map(({ models }) => models))
    for (const each of benchmarks) checkClasses(each, await classesOf(each, data, signal))
    const own = { ...places, models }
    await prepareBenchmark(benchmark, own, signal)
    const context = { store: openStore(home), data, places: own, threads, provider, signal, log: () => {} }
    return { target: { ...target, benchmarks }, context, places, release }
  } catch (error) {
    release()
    throw error
  }
}
