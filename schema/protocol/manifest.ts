/** A run's manifest, stage by stage: what the runner that computed it says came out, and its signature over that. */
import { z } from 'zod'
import { sha256 } from '../parts/hash.ts'
import { stageResult } from '../result.ts'
import { fingerprint, jws, publicKey } from '../signature.ts'
import { stageKey } from '../stage.ts'
import { began } from './checkpoint.ts'
import { runnerId, runnerName } from './enrol.ts'
import { wholeLog } from './log.ts'

/** What a runner signs: the result with the hashes of every artifact, and what it is the result of. */
export const manifest = z.strictObject({
  job: stageKey,
  attempt: z.int().min(1),
  runner: runnerId,
  /** Of the canonical JSON of the stage's spec. */
  specSha256: sha256,
  log: wholeLog,
  /** Checkpoints of earlier deliveries that it went on from: empty where this runner computed all of it. Not said before release
   *  0.2.0. */
  began,
  result: stageResult,
})
export type Manifest = z.infer<typeof manifest>

/** As anyone may read it. */
export const storedManifest = z.strictObject({
  /** The payload of `jws`, for people; null where the signature does not verify. Believe the JWS only. */
  manifest: manifest.nullable(),
  /** Compact JWS, EdDSA, type `palimpsest-result+jws`. */
  jws,
  runner: z.strictObject({ id: runnerId, name: runnerName, publicKey, fingerprint }),
  receivedAt: z.string(),
})
export type StoredManifest = z.infer<typeof storedManifest>
