/** `--device`: what stages run on. */
import { Option } from 'commander'
import { onnxruntimeVersion, type Provider, requireRuntime } from '../../engine/onnx/session.ts'
import { FLOAT32_ON_GPU } from '../../machine/device.ts'
import { type Findings, probeMachine } from '../../probe/probe.ts'
import { cudaLibrary, type DeviceKind, deviceKinds } from '../../probe/providers.ts'
import { UsageError } from '../../words/usage.ts'

export const deviceOption = () =>
  new Option('--device <kind>', 'what stages run on: auto takes CUDA where it works')
    .choices(deviceKinds)
    .default('auto')

export const precisionOption = () =>
  new Option('--precision <kind>', 'of products and convolutions on a GPU; results record it')
    .choices(['tf32', 'float32'])
    .default('tf32')

/** To be called before anything is loaded that computes on a GPU; processes that this one starts inherit it. */
export function setPrecision(precision: string): void {
  if (precision === 'float32') process.env[FLOAT32_ON_GPU] = '0'
}

const CUDA_NEEDED = 12
const fetchLibrary = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js'

/** What to run on, without a look at the machine where the answer is known. Throws as `requireDevice` does, and where no stage
 *  can run at all. */
export async function chooseProvider(kind: DeviceKind): Promise<Provider> {
  requireRuntime()
  if (kind === 'cpu' || (kind === 'auto' && !cudaLibrary().exists)) return 'cpu'
  const findings = await probeMachine({ threads: 0, kind })
  requireDevice(kind, findings)
  return findings.provider
}

/** Refuses a device that was asked for and can't be used, with everything that is missing at once. */
export function requireDevice(kind: DeviceKind, findings: Findings): void {
  if (kind !== 'cuda' || findings.provider === 'cuda') return
  const missing = missingForCuda(findings, cudaLibrary())
  throw new UsageError(
    [
      '--device cuda: no stage can run on a GPU here:',
      ...missing.map((line) => `  - ${line}`),
      'Use --device cpu.',
    ].join('\n'),
  )
}

/** What stands between this machine and CUDA, each with what to do about it. */
export function missingForCuda(
  { driver, providers }: Pick<Findings, 'driver' | 'providers'>,
  library: { path: string; exists: boolean },
): string[] {
  const found = providers.find(({ name }) => name === 'cuda')
  const missing: string[] = []
  if (driver.trouble) missing.push(`${driver.trouble}: install a driver for CUDA ${CUDA_NEEDED}`)
  else if (Number(driver.cuda) < CUDA_NEEDED) {
    missing.push(`the driver serves CUDA ${driver.cuda ?? 'of an unknown version'}: update it to CUDA ${CUDA_NEEDED}`)
  }
  if (!found) missing.push(`onnxruntime-node ${onnxruntimeVersion()} has no CUDA provider for this platform`)
  else if (!library.exists) {
    missing.push(
      `${library.path} is missing: npm's onnxruntime-node ${onnxruntimeVersion()} leaves it out; fetch it with: ${fetchLibrary}`,
    )
  } else if (!found.works) {
    missing.push(`the CUDA provider does not start: ${found.trouble}; it needs CUDA ${CUDA_NEEDED} and cuDNN 9`)
  }
  return missing
}
