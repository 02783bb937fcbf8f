/** Faults of this machine, not of what is computed on it nor of the network: a disk that is full or read-only, too few file handles.
 *  Whatever is tried next would meet them too, so whoever takes work from others stops taking it. */

import { randomUUID } from 'node:crypto'
import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { byteSize } from '../words/numbers.ts'
import { reasonOf, writeWhole } from './write.ts'

const ROOM = 'make room there, or choose another home folder with --home DIR'
const HANDLES = 'allow more of them (ulimit -n), or end what holds them'
/** What to do, by the code of the system's error. */
const remedies: Record<string, string> = {
  ENOSPC: ROOM,
  EDQUOT: ROOM,
  EFBIG: 'allow larger files (ulimit -f), or choose another file system with --home DIR',
  EROFS: 'mount it for writing, or choose another home folder with --home DIR',
  EIO: 'check the disk, or choose another home folder with --home DIR',
  EMFILE: HANDLES,
  ENFILE: HANDLES,
}

/** With less, a stage would hardly come to its end. */
const LEAST_ROOM_BYTES = 64 * 1024 ** 2

export class LocalFault extends Error {
  override name = 'LocalFault'
}

/** The fault of this machine behind an error, however often it was wrapped; null where there is none. */
export function localFaultOf(error: unknown, path?: string): LocalFault | null {
  if (error instanceof LocalFault) return error
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, path: own = path, syscall } = cause as NodeJS.ErrnoException
    const remedy = code === undefined ? undefined : remedies[code]
    if (remedy) return new LocalFault(`${own ?? syscall ?? 'this machine'}: ${reasonOf(cause)}; ${remedy}`, { cause })
  }
  return null
}

/** Throws where a home folder has no room for work, or can't be written. */
export async function requireRoom(home: string): Promise<void> {
  const trial = join(home, `room-${randomUUID()}`)
  try {
    const { bavail, bsize } = await statfs(home)
    const free = bavail * bsize
    if (free < LEAST_ROOM_BYTES) {
      throw new LocalFault(
        `${home}: expected at least ${byteSize(LEAST_ROOM_BYTES)} of room for what stages leave, got ${byteSize(free)}; ${ROOM}`,
      )
    }
    // A quota, or a medium that was made read-only, shows only here.
    await writeWhole(trial, new Uint8Array(64 * 1024))
  } catch (error) {
    throw localFaultOf(error, home) ?? error
  } finally {
    await rm(trial, { force: true }).catch(() => {})
  }
}
