/** What a user can do when runner and server do not understand each other: it follows from what both speak. */
import { PROTOCOL, type Spoken } from '../../schema/protocol/version.ts'
import { version } from '../words/version.ts'

/** Client and server disagree about a shape: trying again would not help. */
export class ContractError extends Error {
  override name = 'ContractError'
}

/** Such as `palimpsest 0.2.0 (protocol 2)`. */
export const thisRelease = `palimpsest ${version} (protocol ${PROTOCOL})`

export function remedyFor({ protocol, since }: Spoken): string {
  const server = `the server speaks protocol ${protocol}${since ? `, as palimpsest ${since} does` : ''}`
  if (protocol > PROTOCOL) {
    return `${server}, and this is ${thisRelease}: update it (git pull && npm ci in its folder) and try again`
  }
  if (protocol < PROTOCOL) {
    return `${server}, and this is ${thisRelease}: ask the server's admin to update it, or use that release here; if this address is not a Palimpsest server's, correct it`
  }
  return `both sides speak protocol ${protocol}, so this is a fault of one of them or of a proxy between them: report it with this line; this is ${thisRelease}`
}
