/** Who this machine is to servers: `<home>/identity.json` holds a private key for each server that it enrolled with. A server is
 *  known by its public key, whatever its address; the key was pinned at enrolment. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../../schema/parts/hash.ts'
import { runnerId, runnerName } from '../../schema/protocol/enrol.ts'
import { newPrivateKey, privateKey, publicKey, publicKeyOf, sign } from '../../schema/signature.ts'
import { readSecrets, writeSecrets } from '../store/secrets.ts'
import type { Client, RequestOptions } from './client.ts'

const identity = z.strictObject({
  id: runnerId,
  /** As it was when the machine enrolled; an admin may have changed it since. */
  name: runnerName,
  /** Where it enrolled, for people. */
  server: z.string(),
  serverPublicKey: publicKey,
  privateKey,
})
export type Identity = z.infer<typeof identity>

const identityFile = z.strictObject({
  /** An enrolment whose answer has not come yet: asked again with the same key, it gets the same answer. */
  pending: z.strictObject({ secretSha256: sha256, privateKey }).optional(),
  identities: z.array(identity),
})

export const identityPath = (home: string): string => join(home, 'identity.json')

const read = async (home: string): Promise<z.infer<typeof identityFile>> =>
  (await readSecrets(identityPath(home), identityFile, 'the identity that this command wrote there')) ?? {
    identities: [],
  }

/** Whether it enrolled at any server. */
export const hasIdentity = async (home: string): Promise<boolean> => (await read(home)).identities.length > 0

/** What this machine is to the server behind `client`; null before it enrolled there. */
export async function identityFor(home: string, client: Client, options?: RequestOptions): Promise<Identity | null> {
  const { identities } = await read(home)
  if (identities.length === 0) return null
  const server = await client.serverKey(options)
  return identities.find(({ serverPublicKey }) => serverPublicKey.x === server.publicKey.x) ?? null
}

/** Trades a secret for an identity, which takes the place of one that this machine had with the server. */
export async function enrol(
  { home, client }: { home: string; client: Client },
  { secret, name }: { secret: string; name: string },
): Promise<Identity> {
  const path = identityPath(home)
  const file = await read(home)
  const secretSha256 = createHash('sha256').update(secret).digest('hex')
  const key = file.pending?.secretSha256 === secretSha256 ? file.pending.privateKey : await newPrivateKey()
  // Written before it is sent: a key that the server knows is never lost.
  await writeSecrets(path, { ...file, pending: { secretSha256, privateKey: key } })
  const proof = await sign('enrolment', { secretSha256 }, key)
  const answer = await client.enrol({ secret, name, publicKey: publicKeyOf(key), proof })
  const enrolled: Identity = { ...answer, server: client.server, privateKey: key }
  const others = file.identities.filter(({ serverPublicKey }) => serverPublicKey.x !== answer.serverPublicKey.x)
  await writeSecrets(path, { identities: [...others, enrolled] })
  return enrolled
}
