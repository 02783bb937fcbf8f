/** What this machine can do, found out by trying: memory, GPUs, execution providers, and a piece of training whose result is
 *  known. */
import { fork } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Probe, SELF_TEST_SHA256 } from '../schema/probe.ts'
import { sha256Hex } from '../schema/stage.ts'
import { onnxruntimeVersion } from './onnx/session.ts'
import { deviceOf } from './pipeline/device.ts'
import type { FromProbe } from './probe/child.ts'
import { type Driver, findGpus } from './probe/gpus.ts'
import type { ProviderFinding } from './probe/providers.ts'
import type { SelfTest } from './probe/self-test.ts'
import { version } from './version.ts'

const entry = join(import.meta.dirname, 'probe/child.ts')
const PATIENCE_MS = 120_000

export interface Findings {
  /** What servers are told. */
  probe: Probe
  processor: string
  providers: ProviderFinding[]
  driver: Omit<Driver, 'gpus'>
  selfTest: SelfTest
}

/** Takes about a second. Never throws for what it finds: a failed self-test is a finding. */
export async function probeMachine({ threads }: { threads: number }): Promise<Findings> {
  const [{ gpus, ...driver }, { providers, selfTest }] = await Promise.all([findGpus(), tryOut(threads)])
  return {
    probe: {
      device: deviceOf(threads),
      memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
      gpus,
      providers: providers.filter(({ works }) => works).map(({ name }) => name),
      versions: { palimpsest: version, onnxruntime: onnxruntimeVersion, node: process.versions.node },
      selfTest: selfTest.sha256,
    },
    processor: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores`,
    providers,
    driver,
    selfTest,
  }
}

/** Whether a runner with these findings may work: both that it says so itself and that a server would. */
export const passedSelfTest = ({ selfTest }: Findings): boolean =>
  selfTest.passed && selfTest.sha256 === SELF_TEST_SHA256

/** In a process of its own, whose words on stderr are onnxruntime's and not for people. */
async function tryOut(threads: number): Promise<Pick<Findings, 'providers' | 'selfTest'>> {
  const child = fork(entry, [String(threads)], {
    execArgv: ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const providers: ProviderFinding[] = []
  let selfTest: SelfTest | null = null
  child.on('message', (message: FromProbe) => {
    if (message.kind === 'self-test') selfTest = message.selfTest
    else providers.push(message.finding)
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
    selfTest: selfTest ?? { passed: false, error, largestDifference: null, sha256: await sha256Hex(error) },
  }
}
