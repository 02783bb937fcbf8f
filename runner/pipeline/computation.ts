/** What a result is kept under on this machine. A stage key says what is to be computed, whoever computes it; a computation says by
 *  what as well, since the bytes of sums follow from how many threads share them, from the processor and from onnxruntime, and the
 *  seconds do too. */
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { type StageSpec, stageKeyOf } from '../../schema/stage.ts'
import { onnxruntimeVersion } from '../engine/onnx/session.ts'
import { deviceOf } from '../machine/device.ts'
import type { StageContext } from '../stages/stage.ts'
import { sourcesOf } from './sources.ts'

/** Hash of the stage, of the bytes that it reads, of the device with its threads, of onnxruntime, and of the sources of
 *  dataset, model and method. */
export async function computationOf(
  spec: StageSpec,
  { threads, provider, inputs }: Pick<StageContext, 'threads' | 'provider' | 'inputs'>,
): Promise<string> {
  const read = Object.entries(spec.inputs).map(async ([name, key]): Promise<[string, unknown]> => {
    const artifacts = Object.entries(await inputs(key))
    return [name, Object.fromEntries(artifacts.map(([file, { sha256 }]) => [file, sha256]))]
  })
  const computation = {
    stage: await stageKeyOf(spec),
    inputs: Object.fromEntries(await Promise.all(read)),
    device: { ...(await deviceOf({ threads, provider })) },
    onnxruntime: onnxruntimeVersion(),
    sources: await sourcesOf(spec),
  }
  return await sha256Hex(canonicalJson(computation))
}
