/** What a worker that does not start, or ended, says between the lines of its output: a database that can't be read, a full disk, too
 *  few file handles. Each is named with its file and what to do. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../words/usage.ts'

/** A worker holds a handle for each database, socket and object that is being read. */
const LEAST_HANDLES = 256

/** Refuses to start with fewer than a worker needs: it would answer now and then, or not at all. */
export function requireHandles(): void {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | 'unlimited' } } }
  const handles = userLimits?.open_files?.soft
  if (typeof handles !== 'number' || handles >= LEAST_HANDLES) return
  throw new UsageError(
    `expected at least ${LEAST_HANDLES} file handles for a server, got ${handles}; allow more of them (ulimit -n ${4 * LEAST_HANDLES}) and start again`,
  )
}

/** Null where nothing known is in the text. */
export async function troubleIn(text: string, home: string): Promise<string | null> {
  if (/SQLITE_(CORRUPT|NOTADB)/.test(text)) {
    const damage = /SQLITE_NOTADB/.test(text) ? 'is no database any more' : 'is damaged'
    return `${await databaseOf(home)} ${damage}; put a copy from before in its place, or move ${join(home, 'worker')} away to begin anew without what is in it`
  }
  if (/SQLITE_FULL|ENOSPC|EDQUOT|No space left on device|disk is full/i.test(text)) {
    return `${join(home, 'worker')}: no space left on the device; make room there and start again, or choose another home with --home DIR`
  }
  if (/EMFILE|ENFILE|too many open files/i.test(text)) {
    return 'the worker has too few file handles; allow more of them (ulimit -n) and start again'
  }
  return null
}

/** The same of the end of a file. */
export const troubleInLog = async (log: string, home: string): Promise<string | null> =>
  troubleIn((await readFile(log, 'utf8').catch(() => '')).slice(-64 * 1024), home)

/** Where the server's database lies. */
async function databaseOf(home: string): Promise<string> {
  const folder = join(home, 'worker/v3/d1/miniflare-D1DatabaseObject')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name))
  return names.length === 1 ? join(folder, names[0]!) : `the database in ${folder}`
}
