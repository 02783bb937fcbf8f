/** Secrets of a local server's Worker, in `<home>/server.env`, which only its owner can read. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { newPrivateKey } from '../../schema/signature.ts'
import { OWNER_ONLY } from '../store/secrets.ts'
import { writeWhole } from '../store/write.ts'

/** The file's path; the key that the server signs with is made up at the first start. */
export async function serverSecrets(home: string): Promise<string> {
  const path = join(home, 'server.env')
  const known = await access(path).then(
    () => true,
    () => false,
  )
  if (!known) {
    await writeWhole(path, `SIGNING_KEY='${JSON.stringify(await newPrivateKey())}'\n`, { mode: OWNER_ONLY })
  }
  return path
}
