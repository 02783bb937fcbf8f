/** Checks a stage of a run against the manifest that its runner signed: signature, spec, result, log and every artifact. */
import type { RunStage } from '../../schema/api/run.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import type { Beginning } from '../../schema/protocol/checkpoint.ts'
import { type Manifest, manifest } from '../../schema/protocol/manifest.ts'
import type { StageResult } from '../../schema/result.ts'
import { fingerprintOf, SignatureError, verify } from '../../schema/signature.ts'
import { stageKeyOf } from '../../schema/stage.ts'
import { asAnswer, type Client, RemoteError } from './client.ts'

export interface Check {
  /** Such as `log` or the name of an artifact. */
  part: string
  /** Null where all is well. */
  problem: string | null
}

/** What a run shows of a stage that is held against what was signed. */
const RESULT_PARTS = ['artifacts', 'seconds', 'device', 'versions', 'losses'] as const
type Shown = Pick<RunStage, 'key' | 'spec' | 'history' | (typeof RESULT_PARTS)[number]>

export interface CheckedStage {
  key: string
  /** Who signed; null where nothing verifiable is there. */
  runner: { id: string; name: string; fingerprint: string } | null
  /** Checkpoints of other deliveries that it went on from, by what was signed. */
  began: Beginning[]
  checks: Check[]
}

/** `result` is what was signed, null where nothing verifiable is there. With `trusted`, a signature by any other key is refused: without, the server is believed about whose key is whose. */
export async function verifyStage(
  client: Client,
  stage: Shown,
  trusted?: string | undefined,
): Promise<CheckedStage & { result: StageResult | null }> {
  const { key } = stage
  try {
    const { jws, runner } = await client.manifest(key)
    const signed = await verify('result', asAnswer(manifest), jws, runner.publicKey)
    const fingerprint = await fingerprintOf(runner.publicKey)
    const by = { id: signed.runner, name: runner.name, fingerprint }
    const stranger = trusted !== undefined && trusted !== fingerprint
    const signature = stranger ? `signed by the key ${fingerprint}, not by ${trusted}` : null
    const checks = [
      { part: 'signature', problem: signature },
      { part: 'spec', problem: await specProblem(stage, signed) },
      { part: 'result', problem: resultProblem(stage, signed) },
      {
        part: 'log',
        problem: await contentProblem(client, `/api/v1/jobs/${key}/log?attempt=${signed.attempt}`, signed.log),
      },
    ]
    if (signed.began.length > 0) {
      checks.push({ part: 'checkpoints', problem: beganProblem(stage, signed, trusted) })
    }
    for (const [name, ref] of Object.entries(signed.result.artifacts)) {
      checks.push({ part: name, problem: await contentProblem(client, `/api/v1/artifacts/${ref.sha256}`, ref) })
    }
    return { key, runner: by, began: signed.began, checks, result: signed.result }
  } catch (error) {
    const expected = error instanceof SignatureError || (error instanceof RemoteError && error.status === 404)
    if (!expected) throw error
    return { key, runner: null, began: [], result: null, checks: [{ part: 'signature', problem: error.message }] }
  }
}

async function specProblem({ key, spec }: Shown, signed: Manifest): Promise<string | null> {
  if (signed.job !== key) return `the signature is about the stage ${signed.job}`
  if ((await stageKeyOf(spec)) !== key) return 'the spec shown does not hash to the stage key'
  const actual = await sha256Hex(canonicalJson(spec))
  return actual === signed.specSha256
    ? null
    : `the spec shown has the SHA-256 ${actual}, signed was ${signed.specSha256}`
}

function resultProblem(stage: Shown, { result }: Manifest): string | null {
  const differing = RESULT_PARTS.filter((part) => canonicalJson(stage[part]) !== canonicalJson(result[part]))
  return differing.length > 0 ? `what the run shows as ${differing.join(', ')} is not what was signed` : null
}

/** What it went on from is gone, so it is held against what the server says that it gave to deliveries of the stage. */
function beganProblem({ history }: Shown, { attempt, began, runner }: Manifest, trusted: string | undefined) {
  const given = history.filter((delivery) => delivery.attempt <= attempt).map(({ checkpoint }) => checkpoint)
  const same = (a: Beginning | null, b: Beginning) =>
    a?.sha256 === b.sha256 && a.runner === b.runner && a.position === b.position
  const unknown = began.find((one) => !given.some((checkpoint) => same(checkpoint, one)))
  if (unknown) return `it went on from ${words(unknown)}, which the server says it gave to no delivery`
  const other = trusted === undefined ? undefined : began.find((one) => one.runner !== runner)
  return other ? `it went on from ${words(other)}, whose work the key ${trusted} does not answer for` : null
}

const words = ({ runner, sha256, position }: Beginning) =>
  `the checkpoint ${sha256.slice(0, 12)} of ${runner ?? 'an unknown runner'} at ${position}`

async function contentProblem(client: Client, path: string, expected: { bytes: number; sha256: string }) {
  try {
    const { bytes, sha256 } = await client.digest(path)
    if (sha256 === expected.sha256) return null
    return `${bytes} bytes with the SHA-256 ${sha256} came, signed were ${expected.bytes} with ${expected.sha256}`
  } catch (error) {
    if (error instanceof RemoteError && error.status === 404) return 'the server does not have it any more'
    throw error
  }
}
