/** Tries what a broken driver could end a process with, in a process of its own, and tells what it finds as it goes. */
import { type ProviderFinding, tryProviders } from './providers.ts'
import { runSelfTest, type SelfTest } from './self-test.ts'

export type FromProbe = { kind: 'self-test'; selfTest: SelfTest } | { kind: 'provider'; finding: ProviderFinding }

const tell = (message: FromProbe) =>
  new Promise<void>((sent) => process.send!(message, undefined, undefined, () => sent()))

process.once('disconnect', () => process.exit(1))
await tell({ kind: 'self-test', selfTest: await runSelfTest({ threads: Number(process.argv[2]) }) })
for await (const finding of tryProviders()) await tell({ kind: 'provider', finding })
process.exit(0)
