/** Tokens of a local server, in `<home>/tokens.json`, which only its owner can read. */
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Api } from '../agent/api.ts'
import { readSecrets, writeSecrets } from '../store/secrets.ts'
import { codeOf, reasonOf } from '../store/write.ts'
import { UsageError } from '../words/usage.ts'

const created = z.object({ id: z.string(), secret: z.string() })
const tokensFile = z.object({
  admin: z.object({ secret: z.string() }),
  submitter: created.optional(),
})
export type TokensFile = z.infer<typeof tokensFile>
export type Tokens = Record<'admin' | 'submitter', string>

export const tokensPath = (home: string): string => join(home, 'tokens.json')

/** SHA-256 of the admin token, which is made up on the first start; the server is told the hash only. */
export async function adminTokenOf(home: string): Promise<{ secret: string; sha256: string }> {
  const path = tokensPath(home)
  const known = await readTokensFile(path)
  const secret = known?.admin.secret ?? `pal_admin_${randomBytes(24).toString('hex')}`
  if (!known) await writeSecrets(path, { admin: { secret } })
  return { secret, sha256: createHash('sha256').update(secret).digest('hex') }
}

/** Creates what is missing or no longer known to the server. `api` asks as admin. */
export async function ensureTokens(home: string, api: Api): Promise<Tokens> {
  const path = tokensPath(home)
  const known = (await readTokensFile(path))!
  const alive = new Set((await api.tokens()).filter(({ revokedAt }) => revokedAt === null).map(({ id }) => id))
  if (!known.submitter || !alive.has(known.submitter.id)) {
    const { id, secret } = await api.createToken({ role: 'submitter', name: 'local' })
    known.submitter = { id, secret }
    await writeSecrets(path, known)
  }
  return { admin: known.admin.secret, submitter: known.submitter.secret }
}

/** Null where there is no such file. */
export const readTokensFile = (path: string): Promise<TokensFile | null> =>
  readSecrets(path, tokensFile, 'the tokens that a server wrote there')

/** Whoever holds the home of a server is its admin, who may do what an organiser may. */
type Wanted = keyof Tokens | 'organiser'

/** `an admin token`. */
const aToken = (role: Wanted) => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role} token`

/** A secret for a role: from `--token-file`, else PALIMPSEST_TOKEN, else the home's own file. A file may hold the bare
 *  secret, or be a tokens.json. */
export async function tokenFor(
  role: Wanted,
  options: { tokenFile?: string | undefined; home: string },
): Promise<string> {
  const { tokenFile, home } = options
  if (tokenFile === undefined && process.env.PALIMPSEST_TOKEN) return process.env.PALIMPSEST_TOKEN.trim()
  const path = tokenFile ?? tokensPath(home)
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (tokenFile === undefined && codeOf(error) === 'ENOENT') {
      throw new UsageError(`no ${role} token: give --token-file FILE, or set PALIMPSEST_TOKEN`)
    }
    throw new UsageError(`--token-file ${path}: cannot be read: ${reasonOf(error)}`)
  }
  const secret = text.startsWith('{')
    ? (await readTokensFile(path))?.[role === 'organiser' ? 'admin' : role]?.secret
    : text
  if (secret && /^pal_[a-z]+_[A-Za-z0-9]+$/.test(secret)) return secret
  throw new UsageError(`${path}: expected ${aToken(role)} (pal_${role}_...); ask an admin of the server for one`)
}
