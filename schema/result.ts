/** What a finished stage leaves behind. */
import { z } from 'zod'
import { sha256 } from './parts/hash.ts'

/** Artifacts and evidence are stored by hash; the name says what a file is, such as `weights.safetensors`. */
export const artifactRef = z.strictObject({ sha256, bytes: z.int().min(0) })
export type ArtifactRef = z.infer<typeof artifactRef>

/** Seconds by the runner's clock, by part: `setUp` (data, graphs), then `train`, or `mask` and `unlearn`, or `sample`,
 *  or `evaluate`. */
export const seconds = z.strictObject({
  setUp: z.number().min(0),
  train: z.number().min(0).optional(),
  mask: z.number().min(0).optional(),
  unlearn: z.number().min(0).optional(),
  evaluate: z.number().min(0).optional(),
  sample: z.number().min(0).optional(),
})
export type Seconds = z.infer<typeof seconds>

/** Where a stage ran; times are compared only within one `deviceClass`. */
export const device = z.strictObject({
  deviceClass: z.string().max(200),
  provider: z.string().max(40),
  precision: z.string().max(40),
  threads: z.int().min(0),
})
export type Device = z.infer<typeof device>

/** The most bytes that the process of a stage held at once, and the GPU with it, where there was one. */
export const memory = z.strictObject({ hostBytes: z.int().min(0), deviceBytes: z.int().min(0).optional() })
export type Memory = z.infer<typeof memory>

export const metricValue = z.strictObject({ identity: z.string().max(300), value: z.number() })

/** Bounds a record that a runner fills. */
const atMost = <Shape extends z.ZodType<Record<string, unknown>>>(most: number, shape: Shape) =>
  shape.refine((record) => Object.keys(record).length <= most, { error: `expected ${most} entries at most` })

export const stageResult = z.strictObject({
  artifacts: atMost(100, z.record(z.string().regex(/^[a-z0-9.-]{1,80}$/), artifactRef)),
  seconds,
  device,
  /** `palimpsest` and `onnxruntime` among them. */
  versions: atMost(20, z.record(z.string().max(40), z.string().max(80))),
  /** Absent where the stage shared a process with others. */
  memory: memory.optional(),
  /** By metric id; set by evaluate stages. */
  metrics: atMost(100, z.record(z.string().max(40), metricValue)).default({}),
  /** Mean training loss of each epoch or pass. */
  losses: z.array(z.number()).max(4000).default([]),
})
export type StageResult = z.infer<typeof stageResult>

/** How far a stage is: `done` of `total` units of the named phase. */
export const progress = z.strictObject({
  phase: z.string().max(80),
  done: z.number().min(0),
  total: z.number().min(0),
  unit: z.string().max(40),
  /** How much of the whole stage is done, where that is known. */
  share: z.number().min(0).max(1).optional(),
  /** Last mean loss, where the phase has one. */
  loss: z.number().optional(),
})
export type Progress = z.infer<typeof progress>
