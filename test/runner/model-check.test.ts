/** `palimpsest model check`: what it prints of a classifier that PyTorch exported, and what it refuses. */
import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import proto from 'onnx-proto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelRef } from '../../schema/parts/recipe.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { goldenBytes } from './golden.ts'

const { ModelProto } = proto.onnx
const HASH = '54520652807b8d9e124965e9ebe2b805d1b1e60d473a11b54d194eeb59932abf'

let folder: string
beforeAll(async () => {
  folder = await temporaryFolder()
  for (const name of ['conv.onnx', 'vit.onnx', 'vit-default.onnx'])
    await cp(new URL(`../golden/exported/${name}`, import.meta.url), join(folder, name))
})
afterAll(cleanUp)

const check = (file: string, ...words: string[]) => cli(['model', 'check', join(folder, file), ...words])

test('says what was read, what trains and how it begins anew, takes a step, and prints what to write', async () => {
  const { code, stdout, stderr } = await check('conv.onnx')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`SHA-256 ${HASH}`)
  expect(stdout).toContain('pytorch 1.13.0; opset ai.onnx 13; 21 nodes')
  expect(stdout).toContain('images [batch, 3, 16, 16] float32')
  expect(stdout).toMatch(/^Trains +9 tensors, 3994 numbers$/m)
  expect(stdout).toMatch(/^conv2\.weight +\[16, 8, 3, 3\] +1152 +uniform in ±1\/√72$/m)
  expect(stdout).toMatch(/^bn1\.running_var +\[8\] +8 +all 1$/m)
  const [, before, after] = /loss ([\d.]+), then ([\d.]+); gradient norm [\d.]+/.exec(stdout)!
  expect(Number(after)).toBeLessThan(Number(before))
  const fragment = JSON.parse(`{${stdout.slice(stdout.indexOf('"model":'))}}`)
  expect(fragment).toEqual({ model: { id: 'onnx', path: join(folder, 'conv.onnx'), sha256: HASH } })
  expect(modelRef.safeParse(fragment.model).success).toBe(true)
  expect((await readdir(folder)).sort()).toEqual(['conv.onnx', 'vit-default.onnx', 'vit.onnx'])
})

test('every tensor is there as JSON, and with --all; else those of one kind are a line', async () => {
  const { stdout } = await check('vit-default.onnx', '--json')
  const { trains, step, classes, images } = JSON.parse(stdout)
  expect({ classes, images, trains: trains.length }).toEqual({ classes: 10, images: [3, 16, 16], trains: 20 })
  expect(step).toMatchObject({ images: 8, unmoved: [] })
  const begins = Object.fromEntries(trains.map(({ name, begins }: Record<string, string>) => [name, begins]))
  expect(begins).toMatchObject({
    token: 'normal, deviation 0.02',
    positions: 'normal, deviation 0.02',
    'norm1.bias': 'all 0',
    // PyTorch transposed it and called it anew; the bias is added behind.
    'onnx::MatMul_173': 'uniform in ±1/√64',
    'down.bias': 'uniform in ±1/√64',
    'head.bias': 'uniform in ±1/√32',
  })
  const shown = async (...words: string[]) => (await check('vit-default.onnx', ...words)).stdout
  expect(await shown()).toMatch(/^norm\*\.bias +× 3 +\[32\] +96 +all 0$/m)
  expect(await shown('--all')).toMatch(/^norm1\.bias +\[32\] +32 +all 0$/m)
})

// biome-ignore lint/suspicious/noExplicitAny: protobuf messages are edited in place
async function edited(name: string, edit: (graph: any) => void): Promise<string> {
  const model = ModelProto.decode(goldenBytes('exported/conv.onnx'))
  edit(model.graph)
  await writeFile(join(folder, name), ModelProto.encode(model).finish())
  return name
}
const reluOf = (graph: { node: { opType: string; domain: string; output: string[] }[] }) =>
  graph.node.find(({ opType }) => opType === 'Relu')!

test('tensors that no step can move are named', async () => {
  // All that comes from the layer is thrown away, so that what lies before it learns nothing.
  const file = await edited('stuck.onnx', (graph) => {
    const relu = reluOf(graph)
    const [output] = relu.output.splice(0, 1, 'kept')
    const nothing = { opType: 'Mul', name: 'nothing', input: ['kept', 'nothing'], output: [output] }
    graph.node.splice(graph.node.indexOf(relu) + 1, 0, nothing)
    graph.initializer.push({ name: 'nothing', dataType: 1, dims: [], floatData: [0] })
  })
  const { code, stderr } = await check(file, '--freeze', 'nothing')
  expect(code).toBe(0)
  expect(stderr).toMatch(/^warning: of 9 tensors that train, \d did not move, from fresh weights either, since their /)
  for (const name of ['conv1.weight', 'bn1.bias']) expect(stderr).toContain(name)
  expect(stderr).toContain('if that is meant, name them under "freeze"')
})

test('what stands still for the weights in the file alone is no fault', async () => {
  // As the last layer of a branch that begins with nothing.
  const file = await edited('zeros.onnx', ({ initializer }) => {
    const weight = initializer.find(({ name }: { name: string }) => name === 'fc.weight')
    weight.rawData = new Uint8Array(weight.rawData.length)
  })
  const { code, stdout, stderr } = await check(file)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/7 tensors stood still at the weights in the file: .*conv1\.weight/)
})

test.each<[string, string[], number, RegExp]>([
  ['a file that is not there', ['none.onnx'], 2, /none\.onnx: expected an ONNX file: there is no such file/],
  ['what is no model', ['text.onnx'], 1, /text\.onnx: expected an ONNX model, got /],
  ['a model that cannot be used', ['odd.onnx'], 1, /odd\.onnx: .*com\.example/],
  ['one tensor twice', ['conv.onnx', '--train', 'a,b', '--freeze', 'b'], 2, /expected b in one of them, came in both/],
  ['a name that is none', ['conv.onnx', '--freeze', 'a,,b'], 2, /--freeze: expected names of tensors, such as a,b/],
  ['a shape that is none', ['conv.onnx', '--shape', '32x32'], 2, /--shape: expected channels, height and width/],
  ['an unknown command', [], 2, /unknown command|missing required argument/],
])('%s ends in a sentence', async (_, [file, ...words], expected, message) => {
  await writeFile(join(folder, 'text.onnx'), 'hello')
  await edited('odd.onnx', (graph) => {
    reluOf(graph).domain = 'com.example'
  })
  const { code, stdout, stderr } = await (file === undefined ? cli(['model', 'check']) : check(file, ...words))
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('    at ')
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
})
