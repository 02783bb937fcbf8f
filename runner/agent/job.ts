/** One job from lease to end: its inputs are fetched, its stage runs in a process of its own, and what it made is handed in. */
import type { Job } from '../../schema/protocol/lease.ts'
import type { Progress, StageResult } from '../../schema/result.ts'
import { computationOf } from '../pipeline/computation.ts'
import { missingOf } from '../pipeline/evaluate.ts'
import { localFaultOf } from '../store/local-fault.ts'
import { downloadArtifacts, uploadArtifacts } from './artifacts.ts'
import { fetchCheckpoint, keepCheckpoints } from './checkpoints.ts'
import { giveUp, type Held, handIn, handInLate, isRefused } from './ends.ts'
import { StageFailure } from './failure.ts'
import { holdLease, LeaseLost } from './heartbeat.ts'
import type { JobContext } from './job-context.ts'
import { openLog } from './log.ts'
import { runStageProcess } from './stage-process.ts'

/** Whatever becomes of the job is told to the server, or the lease runs out. Throws, after that, only a fault of this machine. */
export async function runJob(job: Job, context: JobContext): Promise<void> {
  const { client, emit } = context
  const { key } = job
  const onTrouble = (message: string) => emit({ kind: 'trouble', message })
  let progress: Progress | null = null
  const lease = holdLease({ client, job, progress: () => progress, onTrouble })
  const log = openLog({ client, key, lease, onTrouble })
  const say = (line: string) => {
    log.add(line)
    emit({ kind: 'log', key, line })
  }
  const onProgress = (newest: Progress) => {
    progress = newest
    log.progress(newest)
    emit({ kind: 'progress', key, progress: newest })
  }
  emit({ kind: 'leased', key, spec: job.spec })
  const { threads, provider } = context
  const inputs = async (key: string) => job.inputs[key] ?? {}
  const computation = computationOf(job.spec, { threads, provider, inputs })
  // Whoever asks for it is told.
  computation.catch(() => {})
  const over = new AbortController()
  const held: Held = { ...context, job, computation, lease, log, say, over: over.signal }
  let result: StageResult | null = null
  try {
    const computed = await compute(job, { ...held, onProgress, onTrouble })
    result = computed.result
    const { store } = context
    const { signal } = lease
    await uploadArtifacts({ client, store, lease, signal, say, onProgress }, result.artifacts)
    await handIn(key, result, held)
    emit({ kind: 'done', key, reused: computed.reused, result })
  } catch (error) {
    if (isRefused(error)) {
      const { store } = context
      await computation.then(store.rejectStage).catch(({ message }: Error) => onTrouble(message))
    }
    await giveUp(error, job, held)
    if (result && lease.signal.reason instanceof LeaseLost) await handInLate(key, result, held)
    const fault = localFaultOf(error)
    if (fault) throw fault
  } finally {
    lease.stop()
    log.close()
    over.abort()
  }
}

/** What a stopped runner takes at most to send where its stage stands. */
const LAST_CHECKPOINT_MS = 30_000

interface Computation extends Held {
  onProgress(progress: Progress): void
  onTrouble(message: string): void
}

async function compute(job: Job, context: Computation): Promise<{ result: StageResult; reused: boolean }> {
  const {
    client,
    store,
    places,
    threads,
    provider,
    lease,
    say,
    onProgress,
    onTrouble,
    runStage = runStageProcess,
  } = context
  const computation = await context.computation
  const known = await store.readStage(computation)
  if (known && missingOf(known, job.metrics).length === 0) {
    say('reused: this runner has computed the stage before')
    return { result: known, reused: true }
  }
  const { stageTimeoutMs } = job.lease
  const limit = AbortSignal.timeout(stageTimeoutMs)
  const signal = AbortSignal.any([context.signal, lease.signal, limit])
  for (const artifacts of Object.values(job.inputs)) {
    const fetched = await downloadArtifacts({ client, store, signal, say, onProgress }, artifacts)
    if (fetched > 0) say(`fetched ${fetched} input${fetched === 1 ? '' : 's'}`)
  }
  const { spec, inputs, metrics } = job
  const { checkpointEveryMs } = job.lease
  await fetchCheckpoint(job, computation, { client, store, signal, say, onProgress })
  const keeper = keepCheckpoints(job, computation, {
    client,
    store,
    lease,
    signal: lease.signal,
    say,
    onProgress,
    onTrouble,
  })
  try {
    const order = { spec, inputs, metrics, home: store.home, places, threads, provider, checkpointEveryMs }
    return await runStage({ ...order, signal, onProgress, onLog: say })
  } catch (error) {
    if (context.signal.aborted && !lease.signal.aborted) await keeper.last(AbortSignal.timeout(LAST_CHECKPOINT_MS))
    if (error !== limit.reason) throw error
    const most = `${stageTimeoutMs / 1000} s`
    throw new StageFailure('timeout', `the stage took longer than the ${most} that this server allows`)
  } finally {
    keeper.stop()
  }
}
