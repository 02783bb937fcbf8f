/** One forget set for models of many seeds, where a benchmark draws another for each. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Target } from '../../../schema/catalogue/catalogue.ts'
import { listsOf, writeIndexList } from '../../pipeline/request.ts'
import { splitsOf } from '../../pipeline/splits.ts'
import { forgettingList } from './arguments.ts'
import type { LocalContext, Setting } from './local-setting.ts'

/** The target with what one seed draws as the forget set of all, as a list in the home. */
export async function withOneForgetSet(target: Target, seed: number, context: LocalContext): Promise<Setting> {
  const [benchmark] = target.benchmarks as [Benchmark]
  const { forget } = (await splitsOf(benchmark, [seed], context)).get(seed)!
  const folder = join(context.store.home, 'lists')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${benchmark.slug}-seed-${seed}.npy`)
  await writeIndexList(path, forget)
  const listed = await forgettingList(target, path)
  const places = { ...context.places, lists: listsOf(listed.benchmarks) }
  return { ...context, target: listed, places }
}
