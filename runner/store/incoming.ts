/** A file that comes piece by piece, perhaps over several attempts, and counts only once it is whole. */
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sha256OfFile } from './digest.ts'

export interface Incoming {
  /** Bytes that are there; the next piece goes behind them. */
  size(): number
  append(piece: Uint8Array): Promise<void>
}

/** Lets `fill` append until `bytes` are there, then moves the file to `target`. Gives the SHA-256 that came; one that differs is
 *  deleted. When `fill` throws, what came stays for the next call. */
export async function receiveFile(
  partial: string,
  { sha256, bytes, target }: { sha256: string; bytes: number; target: string },
  fill: (incoming: Incoming) => Promise<void>,
): Promise<string> {
  await mkdir(dirname(partial), { recursive: true })
  const file = await open(partial, 'a')
  try {
    let size = (await file.stat()).size
    if (size > bytes) {
      await file.truncate(0)
      size = 0
    }
    const append = async (piece: Uint8Array) => {
      await file.appendFile(piece)
      size += piece.length
    }
    if (size < bytes) await fill({ size: () => size, append })
  } finally {
    await file.close()
  }
  const actual = await sha256OfFile(partial)
  if (actual !== sha256) {
    await rm(partial)
    return actual
  }
  await mkdir(dirname(target), { recursive: true })
  await rename(partial, target)
  return actual
}
