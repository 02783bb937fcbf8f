/** What this machine can do, found out by trying: memory, GPUs, execution providers, and a piece of training whose result is
 *  known. */
import { fork } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '../../schema/parts/hash.ts'
import { type Probe, SELF_TEST_SHA256 } from '../../schema/probe.ts'
import { onnxruntimeVersion, type Provider, requireRuntime } from '../engine/onnx/session.ts'
import { deviceOf, FLOAT32_ON_GPU } from '../machine/device.ts'
import { type Driver, findGpus } from '../machine/gpus.ts'
import { version } from '../words/version.ts'
import type { FromProbe } from './child.ts'
import type { DeviceKind, ProviderFinding } from './providers.ts'
import type { SelfTest } from './self-test.ts'

const entry = join(import.meta.dirname, 'child.ts')
const PATIENCE_MS = 120_000

export interface Findings {
  /** What servers are told. */
  probe: Probe
  processor: string
  providers: ProviderFinding[]
  driver: Omit<Driver, 'gpus'>
  selfTest: SelfTest
  /** What the self-test ran on, and stages will. */
  provider: Provider
}

/** Takes about a second. Never throws for what it finds: a failed self-test is a finding. Throws
 *  RuntimeError where there is nothing to try. */
export async function probeMachine({ threads, kind }: { threads: number; kind: DeviceKind }): Promise<Findings> {
  requireRuntime()
  const [{ gpus, ...driver }, tried] = await Promise.all([findGpus(), tryOut(threads, kind)])
  const { providers, selfTest, provider } = tried
  return {
    probe: {
      device: await deviceOf({ threads, provider }),
      memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
      gpus,
      providers: providers.filter(({ works }) => works).map(({ name }) => name),
      versions: { palimpsest: version, onnxruntime: onnxruntimeVersion(), node: process.versions.node },
      selfTest: selfTest.sha256,
    },
    processor: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores`,
    providers,
    driver,
    selfTest,
    provider,
  }
}

/** Whether a runner with these findings may work: both that it says so itself and that a server would. */
export const passedSelfTest = ({ selfTest }: Findings): boolean =>
  selfTest.passed && selfTest.sha256 === SELF_TEST_SHA256

type Tried = Pick<Findings, 'providers' | 'selfTest' | 'provider'>

/** In a process of its own, whose words on stderr are onnxruntime's and not for people. */
async function tryOut(threads: number, kind: DeviceKind): Promise<Tried> {
  const child = fork(entry, [String(threads), kind], {
    // The known result is that of float32.
    env: { ...process.env, [FLOAT32_ON_GPU]: '0' },
    execArgv: ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const providers: ProviderFinding[] = []
  let selfTest: SelfTest | null = null
  let provider: Provider = 'cpu'
  child.on('message', (message: FromProbe) => {
    if (message.kind === 'provider') providers.push(message.finding)
    else ({ selfTest, provider } = message)
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  const end = await new Promise<string>((ended) => {
    child.once('error', (error) => ended(error.message))
    child.once('close', (code, signal) => ended(signal ?? `code ${code}`))
  })
  clearTimeout(limit)
  const error = `the process that tried it ended with ${end}`
  if (end !== 'code 0') providers.push({ name: 'the next one', works: false, trouble: error })
  return {
    providers,
    provider,
    selfTest: selfTest ?? { passed: false, error, largestDifference: null, strays: [], sha256: await sha256Hex(error) },
  }
}
