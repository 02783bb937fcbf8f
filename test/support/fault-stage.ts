/** In the place of runner/agent/stage-child.ts: a stage that goes wrong as its seed says, in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { failureOf, StageFailure } from '../../runner/agent/failure.ts'
import type { FromStage, ToStage } from '../../runner/agent/stage-messages.ts'
import { DivergenceError } from '../../runner/engine/training/trainer.ts'
import { DatasetError, ImageError } from '../../runner/science/dataset.ts'
import { ConfigurationError } from '../../runner/stages/configuration-error.ts'
import { InputError } from '../../runner/stages/input-error.ts'
import { openStore } from '../../runner/store/store.ts'
import type { StageResult } from '../../schema/result.ts'
import { filesOf } from './artifacts.ts'
import { faults } from './faults.ts'
import { device } from './probe.ts'

const tell = (message: FromStage) =>
  new Promise<void>((sent) => process.send!(message, undefined, undefined, () => sent()))
const forEver = () => sleep(3_600_000)

const acts: Record<(typeof faults)[number], () => unknown> = {
  submission_error: () => {
    throw new StageFailure('submission_error', 'the model has no output')
  },
  numeric_divergence: () => {
    throw new DivergenceError('the loss was NaN')
  },
  out_of_memory: () => process.kill(process.pid, 'SIGKILL'),
  gpu_lost: () => {
    throw new Error('CUDA failure 999: unknown error ; GPU=0')
  },
  timeout: forEver,
  image_error: () => {
    throw new ImageError('cat.png: cannot be decoded; replace or remove it')
  },
  configuration: () => {
    throw new ConfigurationError('no such method')
  },
  dependency: () => {
    throw new DatasetError('cifar10: cannot be had')
  },
  input: () => {
    throw new InputError('weights.safetensors: expected conv.weight, got nothing')
  },
  interrupted: forEver,
  runner_lost: forEver,
  cancelled: forEver,
  // What comes back names no weights.
  invalid_result: () => {},
  evaluator_bug: () => {
    throw new TypeError('x is not a function')
  },
  // The thread does nothing else meanwhile: no message, no timer.
  blocks: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.BLOCK_MS)),
}

process.on('disconnect', () => process.exit(1))
process.on('message', async (message: ToStage) => {
  if (message.kind === 'abort') process.exit(0)
  const { spec, home } = message.order
  const fault = faults[spec.seed]!
  for (let line = 1; line <= 120; line++) await tell({ kind: 'log', line: `${fault} line ${line}` })
  try {
    await acts[fault]()
    const artifacts: StageResult['artifacts'] = {}
    const files = fault === 'invalid_result' ? {} : await filesOf(spec)
    for (const [name, bytes] of Object.entries(files)) artifacts[name] = await openStore(home).put(bytes)
    const result = { artifacts, seconds: { setUp: 1 }, device, versions: {}, metrics: {}, losses: [] }
    await tell({ kind: 'result', result, reused: false })
  } catch (error) {
    const { reason, message: text } = failureOf(error)
    await tell({ kind: 'error', reason, message: text })
  }
  process.exit(0)
})
