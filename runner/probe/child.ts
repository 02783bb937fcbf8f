/** Tries what a broken driver could end a process with, in a process of its own, and tells what it finds as it goes. */
import type { Provider } from '../engine/onnx/session.ts'
import { cudaLibrary, type DeviceKind, type ProviderFinding, tryProviders } from './providers.ts'
import { runSelfTest, type SelfTest } from './self-test.ts'

export type FromProbe =
  | { kind: 'provider'; finding: ProviderFinding }
  | { kind: 'self-test'; selfTest: SelfTest; provider: Provider }

const tell = (message: FromProbe) =>
  new Promise<void>((sent) => process.send!(message, undefined, undefined, () => sent()))

process.once('disconnect', () => process.exit(1))
const threads = Number(process.argv[2])
const kind = process.argv[3] as DeviceKind
const testOn = async (provider: Provider) =>
  tell({ kind: 'self-test', selfTest: await runSelfTest({ threads, provider }), provider })

// Where no stage will run on a GPU, its driver may end this process without harm.
const mayUseGpu = kind !== 'cpu' && cudaLibrary().exists
if (!mayUseGpu) await testOn('cpu')
let cudaWorks = false
for await (const finding of tryProviders()) {
  if (finding.name === 'cuda') cudaWorks = finding.works
  await tell({ kind: 'provider', finding })
}
if (mayUseGpu) await testOn(cudaWorks ? 'cuda' : 'cpu')
process.exit(0)
