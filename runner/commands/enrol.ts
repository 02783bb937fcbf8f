/** `palimpsest enrol`: trades a one-time secret from an admin for an identity of this machine. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { enrolmentSecret, runnerName } from '../../schema/protocol/enrol.ts'
import { fingerprintOf, publicKeyOf } from '../../schema/signature.ts'
import { createClient } from '../agent/client.ts'
import { enrol as enrolAt, type Identity, identityPath } from '../agent/identity.ts'
import { openHome } from '../store/home.ts'
import { reasonOf } from '../store/write.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help, homeOption, nameOption, serverOf, serverOption } from './parts/command.ts'

export const enrolmentOption = [
  '--enrolment-file <file>',
  'file with the enrolment secret (else PALIMPSEST_ENROLMENT); it is never given on the command line',
] as const

interface Options {
  server?: string
  enrolmentFile?: string
  name?: string
  home?: string
  json?: boolean
}

export const enrol: Command = {
  group: 'Servers and runners',
  add: (program) =>
    program
      .command('enrol')
      .description('make this machine a runner of a server, with a one-time secret from its admin')
      .option(...serverOption)
      .option(...enrolmentOption)
      .option(...nameOption)
      .option(...homeOption)
      .option('--json', 'the id, the name and the fingerprints of both keys as JSON')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest enrol --server https://palimpsest.example --enrolment-file secret.txt',
            'PALIMPSEST_ENROLMENT=pal_enrol_... palimpsest enrol --server https://palimpsest.example --name lab-1',
          ],
          'An admin makes the secret with `palimpsest runners invite`.',
        ),
      )
      .action(execute),
}

async function execute(options: Options): Promise<void> {
  const server = serverOf(options.server)
  const secret = await secretFrom(options)
  if (!secret) throw new UsageError('no enrolment secret: give --enrolment-file FILE, or set PALIMPSEST_ENROLMENT')
  const name = nameFrom(options)
  const home = await openHome(options.home)
  const client = createClient({ server, retryForMs: 10_000 })
  const identity = await enrolAt({ home, client }, { secret, name })
  const fingerprints = await fingerprintsOf(identity)
  if (options.json) printJson({ id: identity.id, name: identity.name, server, ...fingerprints })
  else print(identity.id)
  note(`Enrolled at ${server} as ${identity.name} (${identity.id}), key ${fingerprints.fingerprint}.`)
  note(`The server's key is ${fingerprints.serverFingerprint}: jobs that it did not sign are refused.`)
  note(`Both are kept in ${identityPath(home)}, readable by you only.`)
}

async function fingerprintsOf({ privateKey, serverPublicKey }: Identity) {
  const fingerprint = await fingerprintOf(publicKeyOf(privateKey))
  return { fingerprint, serverFingerprint: await fingerprintOf(serverPublicKey) }
}

/** The name to enrol with; the host's own where none was given. */
export function nameFrom({ name = hostname().slice(0, 80) }: { name?: string | undefined }): string {
  const { data, error } = runnerName.safeParse(name)
  if (data !== undefined) return data
  throw new UsageError(`--name: ${error.issues[0]?.message}; expected 1 to 80 printable characters`)
}

/** From `--enrolment-file`, else PALIMPSEST_ENROLMENT; null where neither is given. */
export async function secretFrom({ enrolmentFile }: { enrolmentFile?: string | undefined }): Promise<string | null> {
  const place = enrolmentFile === undefined ? 'PALIMPSEST_ENROLMENT' : `--enrolment-file ${enrolmentFile}`
  const text = enrolmentFile === undefined ? process.env.PALIMPSEST_ENROLMENT : await fileText(enrolmentFile)
  if (!text?.trim()) return null
  const { data } = enrolmentSecret.safeParse(text.trim())
  if (data) return data
  throw new UsageError(
    `${place}: expected an enrolment secret, pal_enrol_ and 48 hex digits; ask an admin of the server`,
  )
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`--enrolment-file ${path}: cannot be read: ${reasonOf(error)}`)
  }
}
