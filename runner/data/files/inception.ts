/** The published weights of FID's Inception-v3: those of Google's archive `inception-2015-12-05`, converted to PyTorch for
 *  pytorch-fid (https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights), whose FIDs are the ones that papers compare. */
import { join } from 'node:path'
import type { Network } from '../../engine/nn/network.ts'
import { floats, type Tensor } from '../../engine/onnx/tensor.ts'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { sha256Of } from '../../store/digest.ts'
import { download } from './download.ts'
import { cacheFile, findPinned, type PinnedFile, placesOf, type Tuning } from './pinned.ts'
import { readTorchFile, type TorchTensor } from './torch-file.ts'

/** Folder of the file in the cache, and beside the user's datasets. */
const FOLDER = 'inception'

export const inceptionFile: PinnedFile = {
  name: 'pt_inception-2015-12-05-6726825d.pth',
  sha256: '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2',
  bytes: 95_628_359,
  urls: [
    'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth',
    'https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth',
  ],
}

export interface InceptionWeights {
  state: Map<string, Tensor>
  sha256: string
}

/** From the user's folders, then the cache, then the official addresses. Throws DatasetError when the file is missing or has
 *  another hash: it says where it was looked for, where to get it, which hash it must have and which came. */
export async function loadInceptionWeights(
  network: Network,
  { directories, cache, signal, onProgress }: LoadOptions,
  { file = inceptionFile, tuning = {} }: { file?: PinnedFile; tuning?: Tuning } = {},
): Promise<InceptionWeights> {
  const remedy = `get ${file.urls[0]} again`
  const folders = placesOf([...directories, cache], FOLDER)
  const found = await findPinned(file, { folders, remedy, signal })
  const bytes = found ?? (await fetchWeights(file, folders, join(cache, FOLDER), { signal, onProgress, tuning }))
  return { state: stateOf(network, readTorchFile(bytes), file.name), sha256: file.sha256 }
}

async function fetchWeights(
  file: PinnedFile,
  searched: string[],
  folder: string,
  { tuning, ...options }: Pick<LoadOptions, 'signal' | 'onProgress'> & { tuning: Tuning },
): Promise<Uint8Array> {
  const accept = (body: Uint8Array) => {
    const sha256 = sha256Of(body)
    if (sha256 !== file.sha256) throw new DatasetError(`expected the SHA-256 ${file.sha256}, got ${sha256}`)
    return body
  }
  try {
    const target = join(folder, file.name)
    return await download({
      ...tuning,
      ...options,
      urls: file.urls,
      name: file.name,
      target,
      maxBytes: file.bytes,
      look: () => findPinned(file, { folders: [folder], remedy: 'delete it', signal: options.signal }),
      accept,
      keep: (body) => cacheFile(target, body),
    })
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error
    throw new DatasetError(
      `FID under its own name needs ${file.name} (${file.bytes} bytes, SHA-256 ${file.sha256}), which is not in ${searched.join(', ')}: ${error.message}`,
    )
  }
}

/** The tensors of the network by name; counters of batches are left out. */
function stateOf(network: Network, tensors: ReadonlyMap<string, TorchTensor>, file: string): Map<string, Tensor> {
  return new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => {
      const found = tensors.get(name)
      if (found?.dtype !== 'F32' || found.shape.join() !== shape.join()) {
        const came = found ? `${found.dtype} [${found.shape}]` : 'nothing'
        throw new DatasetError(`${file}: expected ${name} as F32 [${shape}], got ${came}`)
      }
      return [name, floats(shape, found.data)]
    }),
  )
}
