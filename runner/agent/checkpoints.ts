/** Checkpoints between runners: what this runner's stage leaves goes to the server now and then, and what an earlier delivery left
 *  there is where the stage goes on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beganAt } from '../../schema/protocol/checkpoint.ts'
import type { Job } from '../../schema/protocol/lease.ts'
import { checkpointPath, checkpointPosition } from '../store/checkpoint.ts'
import { downloadArtifact, type Transfer, type Uploading, uploadArtifact } from './artifacts.ts'
import { beganFrom, forgetBegan, rememberBegan } from './began.ts'

/** Puts the server's checkpoint in the place of this store's own, where it is further. Without one the stage begins anew. */
export async function fetchCheckpoint(
  { checkpoint }: Pick<Job, 'checkpoint'>,
  computation: string,
  context: Transfer,
): Promise<void> {
  const { store, say, signal } = context
  const { home } = store
  const own = await checkpointPosition(home, computation)
  if (!checkpoint || (own !== null && own >= checkpoint.position)) {
    if (own !== null) say("goes on from this runner's own checkpoint")
    else await forgetBegan(home, computation)
    return
  }
  const { artifact } = checkpoint
  try {
    await downloadArtifact(context, 'checkpoint', artifact)
    // Before the checkpoint itself: a runner that is killed in between may name too many, but never too few.
    await rememberBegan(home, computation, beganAt(checkpoint))
    await store.place(artifact.sha256, checkpointPath(home, computation))
    if ((await checkpointPosition(home, computation)) === null) throw new Error('this release cannot read it')
    say('goes on from the checkpoint of an earlier delivery')
  } catch (error) {
    signal.throwIfAborted()
    if ((await checkpointPosition(home, computation)) === null) await forgetBegan(home, computation)
    say(`does not go on from the checkpoint of an earlier delivery: ${(error as Error).message}`)
  }
}

export interface CheckpointKeeper {
  /** Sends no more by itself. */
  stop(): void
  /** Sends the newest one, if the server has an older one or none, until the signal is aborted. Never throws. */
  last(signal: AbortSignal): Promise<void>
}

interface Keeping extends Uploading {
  onTrouble(message: string): void
}

/** Sends the newest checkpoint in the server's rhythm. A stage that ends sooner sends none. */
export function keepCheckpoints(
  { key, checkpoint, lease: { checkpointEveryMs } }: Pick<Job, 'key' | 'checkpoint' | 'lease'>,
  computation: string,
  { onTrouble, ...context }: Keeping,
): CheckpointKeeper {
  const { client, store, lease, say } = context
  const stopped = new AbortController()
  let sent = checkpoint?.position ?? -1

  async function send(signal: AbortSignal): Promise<void> {
    const path = checkpointPath(store.home, computation)
    const position = await checkpointPosition(store.home, computation)
    if (position === null || position <= sent) return
    const began = await beganFrom(store.home, computation)
    const artifact = await store.adopt(path)
    try {
      // Its progress is not the stage's, which goes on meanwhile.
      await uploadArtifact({ ...context, signal, onProgress: () => {} }, 'checkpoint', artifact)
      await lease.write((token) => client.checkpoint(key, token, { artifact, position, began }, { signal }))
      sent = position
      say('the server has a checkpoint of this stage')
    } finally {
      await store.remove(artifact.sha256)
    }
  }
  const trySend = (signal: AbortSignal) =>
    send(signal).catch((error: Error) => {
      if (signal !== rhythm || !rhythm.aborted) onTrouble(`the checkpoint was not sent: ${error.message}`)
    })

  const rhythm = AbortSignal.any([context.signal, stopped.signal])
  const rounds = (async () => {
    while (!rhythm.aborted) {
      await sleep(checkpointEveryMs, undefined, { signal: rhythm, ref: false }).catch(() => {})
      if (!rhythm.aborted) await trySend(rhythm)
    }
  })()

  return {
    stop: () => stopped.abort(),
    async last(signal) {
      stopped.abort()
      await rounds
      await trySend(AbortSignal.any([context.signal, signal]))
    },
  }
}
