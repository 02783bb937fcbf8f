/** Preloaded into a process (NODE_OPTIONS=--import): while the file that FULL_DISK names exists, nothing more can be written below the
 *  folder that it lies in, as on a full disk; what the file holds is the system's code, such as ENOSPC. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, sep } from 'node:path'

const marker = process.env.FULL_DISK
const code = () => {
  try {
    return marker ? fs.readFileSync(marker, 'utf8').trim() : ''
  } catch {
    return ''
  }
}
const below = (path: unknown) => marker !== undefined && String(path).startsWith(dirname(marker) + sep)

function fault(path: unknown, syscall: string): void {
  const found = below(path) ? code() : ''
  if (found)
    throw Object.assign(new Error(`${found}: made up, ${syscall}`), { code: found, syscall, path: String(path) })
}

const { writeFile, open } = fs.promises
fs.promises.writeFile = (async (file: fs.PathLike, ...rest: [string]) => {
  fault(file, 'write')
  return writeFile(file, ...rest)
}) as typeof writeFile
fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest)
  for (const name of ['appendFile', 'writeFile', 'write'] as const) {
    const real = handle[name].bind(handle) as (...args: unknown[]) => Promise<never>
    Object.assign(handle, {
      [name]: async (...args: unknown[]) => {
        fault(path, 'write')
        return real(...args)
      },
    })
  }
  return handle
}
syncBuiltinESMExports()
