/** What made-up runners say that they can do. */
import { engines } from '../../schema/engine.ts'
import { type Probe, SELF_TEST_SHA256 } from '../../schema/probe.ts'
import { PROTOCOL } from '../../schema/protocol/version.ts'

export const device = { deviceClass: 'cpu/made-up-test-machine', provider: 'cpu', precision: 'float32', threads: 2 }

export const probe: Probe = {
  device,
  memoryBytes: 8 * 2 ** 30,
  gpus: [],
  providers: ['cpu'],
  versions: { palimpsest: '0.1.0', onnxruntime: '1.30.0', node: '24.21.0' },
  selfTest: SELF_TEST_SHA256,
}

/** What one sends to ask for a job. */
export const leaseRequest = (nonce: string, own: Partial<Probe> = {}) => ({
  probe: { ...probe, ...own },
  nonce,
  protocol: PROTOCOL,
  engines: engines(),
  stagesAtOnce: 64,
})
