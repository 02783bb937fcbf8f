/** PyTorch's older files (test/golden/torch-file/make.py), and weights that are pinned by their hash. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inceptionFile, loadInceptionWeights } from '../../runner/data/files/inception.ts'
import { readTorchFile, TorchFileError } from '../../runner/data/files/torch-file.ts'
import { zerosInit } from '../../runner/engine/nn/layers.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { goldenBytes } from './golden.ts'

const example = goldenBytes('torch-file/example.pth')
/** What the script filled each tensor with. */
const ramp = (name: string, count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => (first + i) / 8 - name.length)

describe('state dicts of torch.save before 1.6', () => {
  test('are read with names, shapes and numbers', () => {
    const tensors = readTorchFile(example)
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['0.weight', 'F32', [3, 2, 1, 3]],
      ['1.weight', 'F32', [3]],
      ['1.bias', 'F32', [3]],
      ['1.running_mean', 'F32', [3]],
      ['1.running_var', 'F32', [3]],
      ['1.num_batches_tracked', 'I64', []],
      ['2.weight', 'F32', [300, 4]],
      ['2.bias', 'F32', [300]],
      ['tail', 'F32', [2]],
    ])
    expect([...tensors.get('0.weight')!.data]).toEqual(ramp('0.weight', 18))
    expect([...tensors.get('2.weight')!.data]).toEqual(ramp('2.weight', 1200))
    expect([...tensors.get('1.num_batches_tracked')!.data]).toEqual([-21n])
  })

  test('two tensors of one storage each have their part', () => {
    expect([...readTorchFile(example).get('tail')!.data]).toEqual(ramp('2.bias', 2, 298))
  })

  test('cut short anywhere, they are refused', () => {
    for (let length = 0; length < example.length; length += 97) {
      expect(() => readTorchFile(example.slice(0, length)), `${length}`).toThrow(TorchFileError)
    }
  })

  test('a function that a state dict does not need is not called', () => {
    const renamed = Buffer.from(example).toString('latin1').replace('_rebuild_tensor_v2', '_rebuild_tensor_v9')
    expect(() => readTorchFile(Buffer.from(renamed, 'latin1'))).toThrow(
      'a state dict does not need torch._utils._rebuild_tensor_v9; the file is refused',
    )
  })

  test('a text in the place of a function is not called', () => {
    // PROTO 2, BINUNICODE toString, EMPTY_TUPLE, REDUCE
    const pickle = [0x80, 2, 0x58, 8, 0, 0, 0, ...Buffer.from('toString'), 0x29, 0x52, 0x2e]
    expect(() => readTorchFile(Uint8Array.from(pickle))).toThrow('a state dict does not need a call of toString')
  })

  test('later files and others are told apart', () => {
    expect(() => readTorchFile(new TextEncoder().encode('PK\x03\x04'))).toThrow('got a zip archive of a later one')
    expect(() => readTorchFile(Uint8Array.of(0x80, 2, 0x4e, 0x2e))).toThrow('got another magic number')
    expect(() => readTorchFile(Uint8Array.of(0xff))).toThrow('got the instruction 255')
  })
})

describe('pinned weights', () => {
  /** A network with two of the tensors in the example. */
  const network = networkOf([4, 1, 1], 300, (scope, x) => {
    const weight = scope.parameter('2.weight', [300, 4], zerosInit)
    const bias = scope.parameter('2.bias', [300], zerosInit)
    return scope.ops.Gemm(scope.ops.Reshape(x, [x.shape[0]!, 4]), weight, bias, { transB: 1 })
  })
  const tuning = { attempts: 1, pauseMs: 1 }
  let folder: string
  let server: Server
  let served: Uint8Array | null

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'palimpsest-inception-'))
    served = null
    server = createServer((_, response) => (served ? response.end(served) : response.writeHead(404).end()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
    await new Promise((resolve) => server.close(resolve))
  })
  const load = (directories: string[] = []) => {
    const file = {
      name: 'weights.pth',
      sha256: sha256Of(example),
      bytes: example.length,
      urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.pth`],
    }
    return loadInceptionWeights(network, { directories, cache: join(folder, 'cache') }, { file, tuning })
  }

  test('the official file is pinned in full', () => {
    expect(inceptionFile.name).toContain(inceptionFile.sha256.slice(0, 8))
    expect(inceptionFile.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test("come from the user's folder, with the hash that identities name", async () => {
    await writeFile(join(folder, 'weights.pth'), example)
    const { state, sha256 } = await load([folder])
    expect([...state.keys()]).toEqual(['2.weight', '2.bias'])
    expect([...state.get('2.bias')!.data]).toEqual(ramp('2.bias', 300))
    expect(sha256).toBe(sha256Of(example))
  })

  test('are downloaded once', async () => {
    served = example
    await load()
    served = null
    expect((await load()).state.size).toBe(2)
  })

  test('missing, the error says which file, which hash and where it was looked for', async () => {
    const failure = load([join(folder, 'mine')])
    const searched = ['mine', 'mine/inception', 'cache', 'cache/inception'].map((place) => join(folder, place))
    await expect(failure).rejects.toThrow(`which is not in ${searched.join(', ')}: `)
    await expect(failure).rejects.toThrow(`SHA-256 ${sha256Of(example)}`)
    await expect(failure).rejects.toThrow(/weights\.pth.*\n.*127\.0\.0\.1.*404/)
    await expect(failure).rejects.toThrow('--data DIR')
  })

  test('of another size they are refused with both hashes, the address and the place', async () => {
    const path = join(folder, 'mine', 'weights.pth')
    await mkdir(join(folder, 'mine'))
    await writeFile(path, 'not found')
    await expect(load([join(folder, 'mine')])).rejects.toThrow(
      `${path}: expected ${example.length} bytes, got 9 (SHA-256 ${sha256Of(new TextEncoder().encode('not found'))}, not ${sha256Of(example)}); get http://127.0.0.1`,
    )
  })

  test('with another hash they are refused, in the folder and on the way', async () => {
    const other = Uint8Array.from(example, (byte, i) => (i === 7000 ? byte ^ 1 : byte))
    served = other
    await expect(load()).rejects.toThrow(`expected the SHA-256 ${sha256Of(example)}, got ${sha256Of(other)}`)
    await writeFile(join(folder, 'weights.pth'), other)
    await expect(load([folder])).rejects.toThrow(/weights\.pth: expected the SHA-256 .*; get http/)
  })
})
