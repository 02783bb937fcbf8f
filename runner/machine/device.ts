/** The device that stages run on, as results record it. */
import { cpus } from 'node:os'
import type { Device } from '../../schema/result.ts'
import { type Provider, threadsUsed } from '../engine/onnx/session.ts'
import { findGpus } from './gpus.ts'

/** With this in its environment, a process computes in full float32 on a GPU; else matrix products and convolutions round their
 *  inputs to TF32. onnxruntime-node has no option of its own for it. */
export const FLOAT32_ON_GPU = 'NVIDIA_TF32_OVERRIDE'

/** Times of two results are compared only when their device classes are equal. */
export async function deviceOf({
  threads,
  provider = 'cpu',
}: {
  threads: number
  provider?: Provider | undefined
}): Promise<Device> {
  const count = threadsUsed(threads)
  if (provider === 'cuda') {
    const precision = process.env[FLOAT32_ON_GPU] === '0' ? 'float32' : 'tf32'
    const { gpus } = await findGpus()
    return { deviceClass: `cuda/${gpus[0]?.name ?? 'unknown GPU'}/${precision}`, provider, precision, threads: count }
  }
  const name = (cpus()[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim()
  return { deviceClass: `cpu/${name}/${count} threads`, provider, precision: 'float32', threads: count }
}
