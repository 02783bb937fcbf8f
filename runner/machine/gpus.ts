/** NVIDIA GPUs and their driver, as nvidia-smi names them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Gpu } from '../../schema/probe.ts'

const PATIENCE_MS = 10_000
const MEBIBYTE = 2 ** 20

export interface Driver {
  gpus: Gpu[]
  /** Newest CUDA version that the driver serves, such as `12.8`; null where it doesn't say. */
  cuda: string | null
  /** Why no GPU was found; null when one was. */
  trouble: string | null
}

export async function findGpus(): Promise<Driver> {
  try {
    const rows = await nvidiaSmi('--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits')
    const gpus = parseGpus(rows)
    if (gpus.length === 0) return { gpus, cuda: null, trouble: 'nvidia-smi names no GPU' }
    const cuda = /CUDA Version:\s*([\d.]+)/.exec(await nvidiaSmi())?.[1] ?? null
    return { gpus, cuda, trouble: null }
  } catch (error) {
    const { code, message, stdout } = error as NodeJS.ErrnoException & { stdout?: string }
    const why = code === 'ENOENT' ? 'nvidia-smi was not found, so no NVIDIA driver is installed' : stdout || message
    return { gpus: [], cuda: null, trouble: why.trim().split('\n')[0]! }
  }
}

/** Bytes in use on the first GPU; 0 where nvidia-smi has nothing to say. */
export async function usedOnGpu(): Promise<number> {
  const used = await nvidiaSmi('--query-gpu=memory.used', '--format=csv,noheader,nounits').catch(() => '')
  return (Number.parseInt(used, 10) || 0) * MEBIBYTE
}

const nvidiaSmi = async (...words: string[]): Promise<string> =>
  (await promisify(execFile)('nvidia-smi', words, { timeout: PATIENCE_MS })).stdout

/** Lines such as `NVIDIA H100 80GB HBM3, 81559, 550.54.15`; memory is in MiB, and unknown to some machines. */
export const parseGpus = (rows: string): Gpu[] =>
  rows
    .split('\n')
    .filter((row) => row.trim() !== '')
    .map((row) => {
      const [name = '', memory, driver = ''] = row.split(',').map((cell) => cell.trim())
      return { name, memoryBytes: (Number(memory) || 0) * MEBIBYTE, driver }
    })
