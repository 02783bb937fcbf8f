/** A quick stage whose log, artifact and scores follow from its key, and what they must be. */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StageOptions } from '../../runner/agent/stage-process.ts'
import { computationOf } from '../../runner/pipeline/computation.ts'
import type { Store } from '../../runner/store/store.ts'
import type { StageResult } from '../../schema/result.ts'
import { stageKeyOf } from '../../schema/stage.ts'
import { filesOf, type Scores } from './artifacts.ts'
import { device } from './probe.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()
const STEPS = 5

/** Every eighth log needs several chunks. Signs of two and more bytes may not be torn. */
export function linesOf(key: string, computation: string): string[] {
  const [first] = digest(key)
  const repeats = first! % 8 === 0 ? 60 : 1
  const lines = Array.from(
    { length: STEPS },
    (_, step) => `${key} ${computation} step ${step + 1} of ${STEPS}: ∂W — 忘れる`,
  )
  return lines.flatMap((line) => Array.from({ length: repeats }, (_, again) => `${line} ${'·'.repeat(again * 5)}`))
}

/** Between 32 bytes and 8 KiB. */
export const artifactOf = (key: string): Buffer => {
  const [, second] = digest(key)
  return Buffer.concat(Array.from({ length: 1 + second! }, (_, part) => digest(`${key} ${part}`)))
}

/** In percent: a half that a method is wrong about at most, and a half that is taken for never seen. */
export const scoreOf = (key: string, metric: string): number => {
  const half = digest(`${key} ${metric}`).readUInt32BE() % 50
  return ['ua', 'mia'].includes(metric) ? half : 50 + half
}

/** What a chaos stage has values of; others are the server's to compute from the evidence. */
export const SCORES = ['ua', 'ra', 'ta', 'mia'] as const

/** In the place of the agent's process of a stage: takes 0.1 to 1 s and leaves in the store what a stage leaves there. */
export const chaosStage =
  (store: Store) =>
  async ({
    spec,
    inputs,
    threads,
    provider,
    metrics,
    signal,
    onLog,
    onProgress,
  }: StageOptions): Promise<{ result: StageResult; reused: boolean }> => {
    const key = await stageKeyOf(spec)
    const lines = linesOf(key, randomUUID())
    const stepMs = (100 + 900 * Math.random()) / STEPS
    for (let done = 1; done <= STEPS; done++) {
      const share = lines.length / STEPS
      for (const line of lines.slice((done - 1) * share, done * share)) onLog(line)
      onProgress({ phase: 'chaos', done, total: STEPS, unit: 'steps' })
      await sleep(stepMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
    const scores = Object.fromEntries(SCORES.map((id) => [id, scoreOf(key, id)])) as Scores
    const artifacts: StageResult['artifacts'] = { 'chaos.bin': await store.put(artifactOf(key)) }
    for (const [name, bytes] of Object.entries(await filesOf(spec, scores))) artifacts[name] = await store.put(bytes)
    const result: StageResult = {
      artifacts,
      seconds: spec.kind === 'train' ? { setUp: 0.1, train: 1 } : { setUp: 0.1 },
      device,
      versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0' },
      metrics: Object.fromEntries(
        metrics.flatMap((identity) => {
          const metric = SCORES.find((id) => identity.startsWith(`${id}/`))
          return metric ? [[metric, { identity, value: scoreOf(key, metric) }]] : []
        }),
      ),
      losses: [],
    }
    const given = async (input: string) => inputs[input] ?? {}
    await store.writeStage(await computationOf(spec, { threads, provider, inputs: given }), result)
    return { result, reused: false }
  }
