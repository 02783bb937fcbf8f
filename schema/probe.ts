/** What a runner can do, found out by trying. */
import { z } from 'zod'
import { sha256 } from './parts/hash.ts'
import { device } from './result.ts'

export const gpu = z.strictObject({
  name: z.string().max(120),
  memoryBytes: z.int().min(0),
  /** Version of the driver. */
  driver: z.string().max(40),
})
export type Gpu = z.infer<typeof gpu>

export const probe = z.strictObject({
  /** What stages run on. */
  device,
  /** Of the machine, or what a container may use of it. */
  memoryBytes: z.int().min(0),
  gpus: z.array(gpu).max(64),
  /** Execution providers of onnxruntime that ran a graph. */
  providers: z.array(z.string().max(40)).max(20),
  /** `palimpsest`, `onnxruntime` and `node` among them. */
  versions: z.record(z.string().max(40), z.string().max(80)),
  /** SHA-256 of the rounded result of the self-test. */
  selfTest: sha256,
})
export type Probe = z.infer<typeof probe>

/** The hash of a self-test that went as it should. */
export const SELF_TEST_SHA256 = '42f0b910f11ae1be7e0d8e7f4130ebdfc269caec6cf6c1dc3b46931b6606e4d4'
