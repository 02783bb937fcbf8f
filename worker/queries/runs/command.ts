/** Commands that pages show: to repeat a run on one's own machine, and to start a runner. */
import { COMMAND, runCommand } from '../../../runner/words/command.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { isOwn } from '../../../schema/own.ts'
import type { Every } from '../../../schema/stage.ts'
import { resolveParams } from '../../http/catalogue.ts'

/** Names only the parameters that differ from the benchmark's preset and the method's defaults. */
export function commandFor(
  benchmark: Benchmark,
  method: string,
  params: Record<string, unknown>,
  seeds: number[],
  /** A suite that the benchmark is a class of, to run them all. */
  target: string = benchmark.slug,
  every?: Every | undefined,
): string {
  return runCommand({ target, method, params, usual: defaultsOf(benchmark, method), seeds, every })
}

function defaultsOf(benchmark: Benchmark, method: string): Record<string, unknown> {
  try {
    return resolveParams(benchmark, method, {})
  } catch {
    // A method with a parameter that has no default, or one that was removed: name them all.
    return {}
  }
}

/** A benchmark of a server's own is known there only. */
export const askedOf = (origin: string, slug: string, command: string): string =>
  isOwn(slug) ? `${command} --server ${origin}` : command

/** Starts a runner that works for this server; the secret is needed once. */
export const runnerCommand = (origin: string): string =>
  `PALIMPSEST_ENROLMENT=pal_enrol_... ${COMMAND} runner --server ${origin}`
