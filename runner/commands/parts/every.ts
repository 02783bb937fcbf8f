/** `--every epoch`: metrics along the way, of commands that unlearn. */
import { Option } from 'commander'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { type Every, every } from '../../../schema/stage.ts'
import { everyFault } from '../../science/catalogue/every-fault.ts'
import { UsageError } from '../../words/usage.ts'

export const everyOption = (): Option =>
  new Option(
    '--every <what>',
    'measure UA, RA, TA and MIA after every epoch too, outside the time that counts: the path to retrain',
  ).choices(every.options)

/** Throws UsageError where none of the methods has a path. */
export function checkEvery(benchmark: Benchmark, methods: readonly string[], asked: Every | undefined): void {
  const fault = everyFault(benchmark, methods, asked)
  if (fault !== null) throw new UsageError(`--${fault}`)
}
