/** `--device`: what stages run on. */
import { Option } from 'commander'
import { onnxruntimeVersion } from '../onnx/session.ts'
import { type Findings, probeMachine } from '../probe.ts'
import { UsageError } from '../usage.ts'
import { cudaLibrary } from './providers.ts'

/** `auto` takes the fastest device that the engine can train on. onnx/session.ts opens its sessions on the CPU, so that is the
 *  CPU, whatever the machine has. */
export const deviceOption = () =>
  new Option('--device <kind>', 'what stages run on: auto takes the best that works').choices(['auto', 'cpu', 'cuda'])

const CUDA_NEEDED = 12
const fetchLibrary = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js'

/** Refuses a device that was asked for and can't be used, with everything that is missing at once. */
export async function requireDevice(kind: string | undefined, findings?: Findings): Promise<void> {
  if (kind !== 'cuda') return
  const missing = missingForCuda(findings ?? (await probeMachine({ threads: 0 })), cudaLibrary())
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
  if (!found) missing.push(`onnxruntime-node ${onnxruntimeVersion} has no CUDA provider for this platform`)
  else if (!library.exists) {
    missing.push(
      `${library.path} is missing: npm's onnxruntime-node ${onnxruntimeVersion} leaves it out; fetch it with: ${fetchLibrary}`,
    )
  } else if (!found.works) {
    missing.push(`the CUDA provider does not start: ${found.trouble}; it needs CUDA ${CUDA_NEEDED} and cuDNN 9`)
  }
  missing.push("this version's engine opens its sessions on the CPU only")
  return missing
}
