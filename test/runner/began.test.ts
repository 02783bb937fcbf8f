/** What a runner remembers of where its stages began. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { beganFrom, rememberBegan } from '../../runner/agent/began.ts'
import { fetchCheckpoint } from '../../runner/agent/checkpoints.ts'
import type { Client } from '../../runner/agent/client.ts'
import { writeSafetensors } from '../../runner/formats/safetensors.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { openStore } from '../../runner/store/store.ts'
import { version } from '../../runner/words/version.ts'
import type { StoredCheckpoint } from '../../schema/protocol/checkpoint.ts'
import { cleanUp, temporaryFolder } from '../support/cli.ts'

afterAll(cleanUp)

const KEY = 'c'.repeat(64)
const earlier = { runner: 'rnr_0000000000000001', sha256: 'a'.repeat(64), position: 1 }

let home: string
let said: string[]
beforeEach(async () => {
  home = await temporaryFolder()
  said = []
})

/** A checkpoint on the server, written by this release or another one. */
function onServer(position: number, release = version): { checkpoint: StoredCheckpoint; bytes: Uint8Array } {
  const bytes = writeSafetensors(new Map(), { position: `${position}`, palimpsest: release })
  const artifact = { sha256: sha256Of(bytes), bytes: bytes.length }
  return { bytes, checkpoint: { artifact, position, runner: 'rnr_0000000000000002', began: [earlier] } }
}

async function fetched(checkpoint: StoredCheckpoint | null, bytes: Uint8Array | null = null): Promise<void> {
  const download: Client['download'] = async (_, file) => {
    if (!bytes) throw new Error('the server is gone')
    await file.append(bytes)
  }
  await fetchCheckpoint({ checkpoint }, KEY, {
    client: { download } as Client,
    store: openStore(home),
    signal: new AbortController().signal,
    say: (line) => said.push(line),
    onProgress: () => {},
  })
}

/** One that this store's own stage left. */
const own = (position: number) =>
  checkpointOf(home, KEY, { everyMs: 0 }).save({ tensors: new Map(), metadata: {}, position })

test('a stage that goes on from a checkpoint of the server is known to have begun there, and before', async () => {
  const { checkpoint, bytes } = onServer(4)
  await fetched(checkpoint, bytes)
  const chain = [earlier, { runner: 'rnr_0000000000000002', sha256: checkpoint.artifact.sha256, position: 4 }]
  expect(await beganFrom(home, KEY)).toEqual(chain)
  // What it goes on to compute is its own, but not what came before.
  await own(6)
  await fetched(onServer(5).checkpoint)
  expect(said.at(-1)).toBe("goes on from this runner's own checkpoint")
  expect(await beganFrom(home, KEY)).toEqual(chain)
})

test('a stage that begins anew began nowhere, whatever its key went on from before', async () => {
  await rememberBegan(home, KEY, [earlier])
  await fetched(null)
  expect(await beganFrom(home, KEY)).toEqual([])
  expect(await readdir(join(home, 'began'))).toEqual([])
})

test('a checkpoint that cannot be had, or that this release cannot read, is not named', async () => {
  await fetched(onServer(4).checkpoint)
  expect(said.at(-1)).toMatch(/^does not go on from the checkpoint of an earlier delivery: .*the server is gone/)
  expect(await beganFrom(home, KEY)).toEqual([])
  const other = onServer(5, '0.0.1')
  await fetched(other.checkpoint, other.bytes)
  expect(said.at(-1)).toContain('this release cannot read it')
  expect(await beganFrom(home, KEY)).toEqual([])
})

test('a stage that goes on from its own older checkpoint keeps what that one began from', async () => {
  await rememberBegan(home, KEY, [earlier])
  await own(2)
  await fetched(onServer(4).checkpoint)
  expect(await beganFrom(home, KEY)).toEqual([earlier])
})

test('a file that says something else is not taken for a beginning', async () => {
  await mkdir(join(home, 'began'))
  await writeFile(join(home, 'began', `${KEY}.json`), '[{"runner":"somebody"}]')
  await expect(beganFrom(home, KEY)).rejects.toThrow('does not say what the stage went on from')
})
