/** Writes that leave a whole file or none. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes beside the target and renames; throws what the file system says. */
export async function writeWhole(
  target: string,
  content: Uint8Array | string,
  { mode = 0o666 }: { mode?: number } = {},
): Promise<void> {
  const partial = `${target}.${randomUUID()}.partial`
  try {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(partial, content, { mode })
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    throw error
  }
}

const reasons: Record<string, string> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of the path is a file',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the disk cannot be read or written',
  ENOENT: 'there is no such file or folder',
}

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown'

/** A file system error in words, such as `no space left on the device (ENOSPC)`; its path is for the caller to name. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  const { message } = error as Error
  const words = reasons[code] ?? new RegExp(`^${code}: ([^,]+)`).exec(message)?.[1]
  return words ? `${words} (${code})` : message
}
