/** What a benchmark asks of the runners that work on it. No part of a stage key: it says where a stage runs, not what it gives. */
import { z } from 'zod'
import type { Probe } from './probe.ts'

export const label = z
  .string()
  .max(40)
  .regex(/^[a-z0-9]+(?:[.:-][a-z0-9]+)*$/, 'expected lower-case letters and digits, separated by ".", ":" or "-"')

export const requirements = z.strictObject({
  /** What stages must run on, such as `cuda`. */
  provider: z.string().max(40).optional(),
  /** Of the machine. */
  memoryBytes: z.int().min(0).optional(),
  /** Of the largest GPU. */
  gpuMemoryBytes: z.int().min(0).optional(),
  /** That an admin gave the runner. */
  labels: z.array(label).max(20).optional(),
})
export type Requirements = z.infer<typeof requirements>

/** What a job asks: requirements of its benchmark or of an admin, and the engine that its stage key is of. */
export type Needs = Requirements & { engine?: string }

/** What of a runner requirements are held against. */
export interface Able {
  provider: string
  memoryBytes: number
  gpuMemoryBytes: number
  labels: readonly string[]
  engines: readonly string[]
}

export const ableOf = (
  { device, memoryBytes, gpus }: Probe,
  { labels, engines }: Pick<Able, 'labels' | 'engines'>,
): Able => ({
  provider: device.provider,
  memoryBytes,
  gpuMemoryBytes: Math.max(0, ...gpus.map((gpu) => gpu.memoryBytes)),
  labels,
  engines,
})

const gibibytes = (bytes: number) => `${Number((bytes / 2 ** 30).toFixed(1))} GiB`

/** Each requirement in words, with whether a runner meets it. The lease statement asks the same of the database. */
export function requirementsOf({ provider, memoryBytes, gpuMemoryBytes, labels = [], engine }: Needs) {
  const parts: { words: string; met(able: Able): boolean }[] = []
  if (provider !== undefined)
    parts.push({ words: `runs stages on ${provider}`, met: (able) => able.provider === provider })
  if (memoryBytes !== undefined)
    parts.push({ words: `has ${gibibytes(memoryBytes)} of memory`, met: (able) => able.memoryBytes >= memoryBytes })
  if (gpuMemoryBytes !== undefined) {
    const words = `has a GPU with ${gibibytes(gpuMemoryBytes)}`
    parts.push({ words, met: (able) => able.gpuMemoryBytes >= gpuMemoryBytes })
  }
  for (const wanted of labels)
    parts.push({ words: `is labelled ${wanted}`, met: (able) => able.labels.includes(wanted) })
  if (engine !== undefined)
    parts.push({
      words: `has the engine ${engine}, which comes with another release of palimpsest`,
      met: (able) => able.engines.includes(engine),
    })
  return parts
}

export const meets = (able: Able, requires: Needs): boolean => requirementsOf(requires).every(({ met }) => met(able))
