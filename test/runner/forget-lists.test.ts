/** Lists of images in and out of the command line: the same D_f gives the same bytes, however it is named. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readIndexList } from '../../runner/data/files/index-list.ts'
import { readSafetensors } from '../../runner/formats/safetensors.ts'
import { SPLIT } from '../../runner/science/task.ts'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const quickstart = benchmarks.get(SLUG)!
const METHODS = ['ft', 'salun', 'ga']

let folder: string
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(cleanUp)

/** A benchmark of one epoch, in a file. */
async function benchmarkFile(name: string, changes: Record<string, unknown>): Promise<string> {
  const path = join(folder, `${name}.json`)
  const training = { ...quickstart.training, epochs: 1 }
  const presets = Object.fromEntries(METHODS.map((id) => [id, { epochs: 1 }]))
  await writeFile(path, JSON.stringify({ ...quickstart, slug: name, training, presets, seeds: [0], ...changes }))
  return path
}

interface Ran {
  benchmark: { slug: string; request: unknown }
  runs: {
    method: string
    stages: { key: string; kind: string; result: { artifacts: Record<string, { sha256: string }> } }[]
  }[]
}

async function ran(words: string[]): Promise<Ran> {
  const methods = METHODS.flatMap((id) => ['--method', id])
  const common = ['--threads', '1', '--home', join(folder, 'home'), '--format', 'json']
  const { code, stdout, stderr } = await cli(['run', ...words, ...methods, ...common])
  expect([code, stderr]).toEqual([0, expect.anything()])
  return JSON.parse(stdout)
}

const weightsOf = ({ runs }: Ran) =>
  Object.fromEntries(
    runs.map(({ method, stages }) => [
      method,
      stages.findLast(({ result }) => result.artifacts[WEIGHTS])!.result.artifacts[WEIGHTS]!.sha256,
    ]),
  )
const keyOf = ({ runs }: Ran) => runs.map(({ stages }) => stages.at(-1)!.key)

test('the same D_f as a request and as a list gives the same weights, bit for bit, and the list comes out again', {
  timeout: 300_000,
}, async () => {
  for (const [name, request] of Object.entries({
    random: { kind: 'random', fraction: 0.1 },
    class: { kind: 'class', label: 'Dress' },
  })) {
    const file = await benchmarkFile(name, { request })
    const saved = join(folder, `splits-${name}`)
    const asked = await ran([file, '--save-split', saved])
    const path = join(saved, 'seed-0', 'forget.npy')
    const listed = await ran([file, '--forget', path])
    expect(listed.benchmark.request).toMatchObject({ kind: 'items', count: 500 })
    expect(keyOf(listed)).not.toEqual(keyOf(asked))
    expect(weightsOf(listed)).toEqual(weightsOf(asked))
    expect(new Set(Object.values(weightsOf(asked))).size).toBe(1 + METHODS.length)
    // The rows of evidence, by their images.
    const { sha256 } = asked.runs[0]!.stages.at(-1)!.result.artifacts[SPLIT]!
    const object = join(folder, 'home', 'objects', sha256.slice(0, 2), sha256)
    const { tensors } = readSafetensors(await readFile(object))
    expect([...tensors.get('forget')!.data]).toEqual([...(await readIndexList(path)).list])
    expect(tensors.get('retain')!.data).toHaveLength(4500)
  }
})

test('classes by their names are the request of their labels', async () => {
  const file = await owned(await benchmarkFile('named', { request: { kind: 'classes', labels: ['Sneaker', 'Coat'] } }))
  const { stdout } = await cli(['benchmarks', 'check', file, '--home', join(folder, 'home')])
  expect(JSON.parse(stdout).request).toEqual({ kind: 'classes', labels: [4, 7] })
})

/** The same file as a benchmark of a server's own. */
async function owned(file: string): Promise<string> {
  const definition = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...definition, slug: `own.${definition.slug}` }))
  return file
}

test('a class of images of one’s own is named by its folder', async () => {
  const raw = { width: 8, height: 8, channels: 1 } as const
  for (const part of ['train', 'test'])
    for (const name of ['cat', 'dog', 'eel']) {
      await mkdir(join(folder, 'pets', part, name), { recursive: true })
      for (const image of ['0.png', '1.png'])
        await sharp(new Uint8Array(64), { raw })
          .png()
          .toFile(join(folder, 'pets', part, name, image))
    }
  const dataset = { id: 'image-folder', path: 'pets' }
  const check = async (label: string) => {
    const file = await owned(await benchmarkFile('pets', { dataset, presets: {}, request: { kind: 'class', label } }))
    return await cli(['benchmarks', 'check', file, '--home', join(folder, 'home')])
  }
  expect(JSON.parse((await check('dog')).stdout).request).toEqual({ kind: 'class', label: 1 })
  expect((await check('dogs')).stderr).toMatch(
    /request\.label: no class "dogs"; did you mean "dog"\?; known: cat, dog, eel/,
  )
})

test('a list beside a benchmark is sent by its hash, and runners are told what to look for', async () => {
  await writeFile(join(folder, 'mine.txt'), '7\n3\n')
  const file = await owned(await benchmarkFile('mine', { request: { kind: 'items', path: 'mine.txt' } }))
  const { code, stdout, stderr } = await cli(['benchmarks', 'check', file, '--home', join(folder, 'home')])
  const { sha256 } = await readIndexList(join(folder, 'mine.txt'))
  expect(stderr).toContain(`as ${sha256}.npy, .txt or .json among their --data`)
  expect(code).toBe(0)
  expect(JSON.parse(stdout).request).toEqual({ kind: 'items', sha256, count: 2 })
  // Without a path it is found by its hash, as a runner finds it.
  const data = join(folder, 'data')
  await mkdir(data)
  await writeFile(join(data, `${sha256}.txt`), '3\n7\n')
  const sent = join(folder, 'sent.json')
  await writeFile(sent, stdout)
  const check = (...words: string[]) => cli(['benchmarks', 'check', sent, '--home', join(folder, 'home'), ...words])
  expect(await check('--data', data)).toMatchObject({ code: 0 })
  expect((await check()).stderr).toContain('was not found: looked in no folder')
})

test.each([
  [
    'a name that there is not',
    { kind: 'class', label: 'Dres' },
    /request\.label: no class "Dres"; did you mean "Dress"\?/,
  ],
  [
    'a list that is not there',
    { kind: 'items', path: 'nowhere.npy' },
    /nowhere\.npy: expected a list .* got nothing there/,
  ],
  [
    'a list of another hash',
    { kind: 'items', path: 'mine.txt', sha256: 'a'.repeat(64) },
    /request\.sha256: expected [0-9a-f]{64}/,
  ],
  ['more images than there are', { kind: 'random', count: 6000 }, /the request forgets 6000 of 5000 images/],
])('%s is refused before anything is computed', async (_, request, message) => {
  await writeFile(join(folder, 'mine.txt'), '7\n3\n')
  const file = await benchmarkFile('wrong', { request })
  const { code, stderr } = await cli(['run', file, '--method', 'ft', '--home', join(folder, 'home')])
  expect(stderr).toMatch(message)
  expect(code).toBeGreaterThan(0)
})

test('a list with what a seed holds out, or of no image, is refused before the first seed is computed', async () => {
  await writeFile(join(folder, 'half.json'), JSON.stringify(Array.from({ length: 2500 }, (_, i) => i)))
  await writeFile(join(folder, 'beyond.json'), '[4999, 5000]')
  const training = { ...quickstart.training, epochs: 1, holdOut: 0.1 }
  const file = await benchmarkFile('held-out', { training })
  const forget = (name: string, target = file) =>
    cli(['run', target, '--method', 'ft', '--home', join(folder, 'home'), '--forget', join(folder, name)])
  expect((await forget('half.json')).stderr).toMatch(/which training\.holdOut keeps out of D for seed 0/)
  expect((await forget('beyond.json')).stderr).toMatch(/names the position 5000, but .* positions 0 to 4999/)
  expect((await forget('half.json', 'fashion-mnist-5k.small-cnn.class-wise')).stderr).toMatch(/got the suite/)
  expect((await forget('half.json', 'fashion-mnist-5k-16.ddpm-unet.class-3')).stderr).toMatch(
    /--forget .*: request\.kind: expected class, all that generation can forget/,
  )
})
