/** Weights in files beside a model. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import proto from 'onnx-proto'
import { afterAll, describe, expect, test } from 'vitest'
import { filesBeside } from '../../runner/data/files/beside.ts'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { floats, numbersOf } from '../../runner/engine/onnx/tensor.ts'
import { parseModel } from '../../runner/engine/reading/read.ts'
import { modelMessage } from '../support/onnx-file.ts'
import { uniforms } from './uniform.ts'

const { ModelProto } = proto.onnx
const w = uniforms(6, 12)
const raw = new Uint8Array(w.buffer)
// 3 bytes ahead, so that nothing is aligned.
const content = Uint8Array.from([9, 9, 9, ...raw, 7])

/** A linear layer whose weights lie in another file. */
function model(place: Record<string, string>): Uint8Array {
  const message = modelMessage({
    opset: 17,
    shape: ['batch', 4],
    nodes: [['Gemm', ['images', 'w', 'b'], ['logits']]],
    constants: { w: floats([4, 3], w), b: floats([3], [0, 0, 0]) },
  })
  Object.assign(message.graph!.initializer![0]!, {
    rawData: new Uint8Array(),
    dataLocation: 1,
    externalData: Object.entries(place).map(([key, value]) => ({ key, value })),
  })
  return ModelProto.encode(message).finish()
}
const place = { location: 'weights.data', offset: '3', length: '48' }

test('are read from the place that the model names', () => {
  const asked: string[] = []
  const external = (location: string) => {
    asked.push(location)
    return content
  }
  for (const given of [place, { location: 'weights.data', offset: '3', length: '48', checksum: 'unused' }]) {
    const { parameters } = networkOfModel(model(given), { external }).model
    expect(numbersOf(parameters.get('w')!)).toEqual([...w])
  }
  const whole = parseModel(model({ location: 'sub/w.bin' }), { external: () => raw })
  expect(whole.parameters.get('w')!.data).toEqual(w)
  // In place, not copied.
  expect(whole.parameters.get('w')!.data.buffer).toBe(raw.buffer)
  expect(asked).toEqual(['weights.data', 'weights.data'])
})

test('without the file, the model says what belongs beside it', () => {
  expect(() => parseModel(model(place))).toThrow(
    'the weights of w lie in another file (weights.data); keep it beside the model, under that name, and read both',
  )
})

describe('are refused:', () => {
  const external = () => content
  test.each(['/etc/passwd', '../weights.data', 'a/../../b', '..\\b', 'C:\\w', '', 'a\0b'])('at %j', (location) => {
    expect(() => parseModel(model({ ...place, location }), { external })).toThrow(
      "expected a file in the model's own folder, and no other is read",
    )
  })
  test.each([
    [{ offset: '20' }, 'takes 48 bytes from 20 of weights.data, which has 52'],
    [{ offset: '-3' }, 'has the offset -3 in weights.data; expected a number'],
    [{ length: '9'.repeat(400) }, 'has the length 999'],
    [{ length: '44' }, 'of the shape [4,3] needs 12 numbers of float32, but has 11'],
    [{ offset: '99', length: '' }, 'takes 0 bytes from 99'],
  ])('%j', (change, message) => {
    expect(() => parseModel(model({ ...place, ...change }), { external })).toThrow(message)
  })
})

describe('files beside a model', () => {
  const root = mkdtempSync(join(tmpdir(), 'beside-'))
  const folder = join(root, 'model')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  writeFileSync(join(root, 'secret'), 'secret')
  writeFileSync(join(folder, 'weights.data'), content)
  writeFileSync(join(folder, 'sub', 'more.data'), raw)
  symlinkSync('../secret', join(folder, 'link'))
  symlinkSync('..', join(folder, 'up'))
  symlinkSync('weights.data', join(folder, 'inner'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  afterAll(() => rmSync(root, { recursive: true }))
  const read = filesBeside(join(folder, 'model.onnx'))

  test('are read, in folders and behind links too', () => {
    expect(read('weights.data')).toEqual(content)
    expect(read('inner')).toEqual(content)
    expect(read('sub/more.data')).toEqual(raw)
    expect(parseModel(model(place), { external: read }).parameters.get('w')!.data).toEqual(w)
  })

  test.each(['link', 'up/secret', '../secret', '.', ''])('outside its folder are not: %j', (location) => {
    expect(() => read(location)).toThrow('which lies outside its folder')
  })

  test('that are none are not read', () => {
    expect(() => read('pipe')).toThrow('keeps weights in pipe, which is no file')
    expect(() => read('sub')).toThrow('which is no file')
    expect(() => read('absent.data')).toThrow(`looked for ${join(folder, 'absent.data')}: there is no such file`)
    expect(() => read('a\0b')).toThrow('which must lie beside it')
  })
})
