/** A benchmark of a server's own by the real command line, over HTTP, on images that only their digest names. */
import { cp, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiOf } from '../../runner/agent/api.ts'
import { createClient } from '../../runner/agent/client.ts'
import { adminTokenOf } from '../../runner/server/tokens.ts'
import { type CliProcess, cleanUp, cli, startCli, temporaryFolder } from '../support/cli.ts'
import { drawImages } from '../support/pictures.ts'

const SLUG = 'own.stripes.small-cnn.random-30'

let folder: string
let home: string
let url: string
let serving: CliProcess
let organiser: string

beforeAll(async () => {
  folder = await temporaryFolder()
  home = join(folder, 'home')
  serving = startCli(['serve', '--port', '0', '--home', home])
  await serving.said('Ctrl-C stops.')
  url = serving.output().stdout.trim()
  const { secret: token } = await adminTokenOf(home)
  const api = apiOf(createClient({ server: url, token }))
  organiser = (await api.createToken({ role: 'organiser', name: 'olga' })).secret
})

afterAll(async () => {
  serving.child.kill('SIGTERM')
  await serving.ended
  await cleanUp()
})

const definition = (dataset: Record<string, unknown>) => ({
  slug: SLUG,
  title: 'Stripes',
  summary: 'Three kinds of stripes.',
  dataset,
  model: { id: 'small-cnn' },
  request: { kind: 'random', fraction: 0.3 },
  training: { epochs: 2, batchSize: 8, learningRate: 0.05, optimizer: { kind: 'sgd' }, augment: false },
  presets: { ft: { epochs: 1, batchSize: 8 } },
  metrics: ['ua/accuracy@1', 'ra/accuracy@1', 'ta/accuracy@1', 'mia/svc-confidence@1'],
  seeds: [0],
  requires: { labels: ['stripes'] },
})

test('an organiser makes one from a file, a runner that has its images computes it, and it is verified, repeated and retired', {
  timeout: 300_000,
}, async () => {
  const images = join(folder, 'images')
  await drawImages(images, { classes: 3, perClass: 12, side: 16 })
  const file = join(folder, 'stripes.json')
  const { metrics, ...rest } = definition({ id: 'image-folder', path: 'images' })
  const ofTwo = ['tow/accuracy@1', 'js-retrain/softmax@1']
  await writeFile(file, JSON.stringify({ ...rest, metrics: [...metrics, ...ofTwo] }))
  const asOrganiser = (...words: string[]) =>
    cli(['benchmarks', ...words, '--server', url, '--home', join(folder, 'other')], { PALIMPSEST_TOKEN: organiser })

  const made = await asOrganiser('create', file)
  expect(made).toMatchObject({ code: 0, stdout: `${SLUG}\n` })
  const [, digest] = /in a folder ([0-9a-f]{64}) among their --data/.exec(made.stderr)!
  const shown = await cli(['benchmarks', 'show', SLUG, '--server', url])
  expect(JSON.parse(shown.stdout)).toMatchObject({ slug: SLUG, dataset: { id: 'image-folder', digest } })
  expect((await asOrganiser('create', file)).stderr).toContain(`${SLUG} is there already`)

  const data = join(folder, 'data')
  await mkdir(data)
  await rename(images, join(data, digest!))
  const tokens = ['--server', url, '--token-file', join(home, 'tokens.json')]
  const secret = (await cli(['runners', 'invite', '--labels', 'stripes', ...tokens])).stdout.trim()
  const runner = startCli(['runner', '--server', url, '--home', join(folder, 'lab'), '--name', 'lab', '--data', data], {
    PALIMPSEST_ENROLMENT: secret,
  })
  const submitted = await cli(['submit', SLUG, '--method', 'ft', '--watch', ...tokens])
  expect(submitted.stderr).toMatch(/✓ FT, seed 0 {2}UA [\d.]+ .* gap [\d.]+/)
  expect(submitted.code).toBe(0)
  runner.child.kill('SIGINT')
  await runner.ended

  // What compares with retrain follows soon after both are evaluated.
  const onBoard = async () => (await apiOf(createClient({ server: url })).board(SLUG)).rows[0]!.metrics
  await expect.poll(onBoard, { timeout: 20_000 }).toHaveProperty('js-retrain')
  const board = await cli(['board', SLUG, '--server', url])
  expect(board.stdout).toMatch(/MIA +ToW +JS to retrain/)
  expect(board.stdout).toMatch(/^Stripes[\s\S]*FT +\d+\.\d\d/)
  expect(await cli(['verify', '--board', SLUG, '--server', url])).toMatchObject({ code: 0 })
  expect(await cli(['rescore', SLUG, '--dry-run', ...tokens, '--home', join(folder, 'rescoring')])).toMatchObject({
    code: 0,
  })
  // The same numbers on a machine that knows the server and has the images.
  const again = ['run', SLUG, '--method', 'ft', '--home', join(folder, 'again'), '--data', data, '--server', url]
  const repeated = await cli([...again, '--format', 'json'])
  const { summaries } = JSON.parse(repeated.stdout)
  const meanOf = ({ ua, ta, tow, 'js-retrain': js }: Record<string, { mean: number }>) =>
    [ua, ta, tow, js].map((spread) => spread?.mean)
  const ft = summaries.find(({ method }: { method: string }) => method === 'ft')
  const there = meanOf((await onBoard()) as Parameters<typeof meanOf>[0])
  // Logarithms end in another digit in the worker.
  expect(meanOf(ft.metrics)).toEqual(there.map((mean) => expect.closeTo(mean!, 10)))

  const retired = await asOrganiser('retire', SLUG, '--reason', 'the stripes of b are those of c')
  expect(retired.code).toBe(0)
  const refused = await cli(['submit', SLUG, '--method', 'ft', ...tokens])
  expect(refused.stderr).toContain('takes no submissions since')
  expect(refused.code).toBe(2)
  expect((await cli(['benchmarks', 'list', '--server', url])).stdout).toMatch(/olga +retired: the stripes of b/)
})

test('one whose model is a file is computed by a runner that has the file by its hash, and not by one that lacks it', {
  timeout: 300_000,
}, async () => {
  const slug = 'own.stripes.file.random-30'
  const [images, data] = [join(folder, 'many'), join(folder, 'with-model')]
  await drawImages(images, { classes: 10, perClass: 8, side: 16 })
  await cp(new URL('../golden/exported/conv.onnx', import.meta.url), join(folder, 'net.onnx'))
  const file = join(folder, 'file.json')
  const dataset = { id: 'image-folder', path: 'many' }
  const model = { id: 'onnx', path: 'net.onnx', weights: 'original' }
  await writeFile(file, JSON.stringify({ ...definition(dataset), slug, model, requires: { labels: ['files'] } }))
  const made = await cli(['benchmarks', 'create', file, '--server', url, '--home', join(folder, 'other')], {
    PALIMPSEST_TOKEN: organiser,
  })
  expect(made).toMatchObject({ code: 0, stdout: `${slug}\n` })
  const [, sha256] = /as ([0-9a-f]{64})\.onnx, or in a folder \1, among their --data/.exec(made.stderr)!
  const [, digest] = /in a folder ([0-9a-f]{64}) among their --data/.exec(made.stderr)!
  const shown = await cli(['benchmarks', 'show', slug, '--server', url])
  expect(JSON.parse(shown.stdout).model).toEqual({ id: 'onnx', params: {}, weights: 'original', sha256 })

  await mkdir(data)
  await cp(images, join(data, digest!), { recursive: true })
  const without = await cli([
    'run',
    slug,
    '--method',
    'ft',
    '--home',
    join(folder, 'h'),
    '--data',
    data,
    '--server',
    url,
  ])
  expect(without.stderr).toContain(`the model with the SHA-256 ${sha256} was not found: looked in ${data}`)
  await cp(join(folder, 'net.onnx'), join(data, `${sha256}.onnx`))
  const tokens = ['--server', url, '--token-file', join(home, 'tokens.json')]
  const secret = (await cli(['runners', 'invite', '--labels', 'files', ...tokens])).stdout.trim()
  const runner = startCli(['runner', '--server', url, '--home', join(folder, 'attic'), '--data', data], {
    PALIMPSEST_ENROLMENT: secret,
  })
  const submitted = await cli(['submit', slug, '--method', 'ft', '--watch', ...tokens])
  expect(submitted.stderr).toMatch(/✓ FT, seed 0 {2}UA [\d.]+ .* gap [\d.]+/)
  expect(submitted.code).toBe(0)
  runner.child.kill('SIGINT')
  await runner.ended
  expect((await cli(['board', slug, '--server', url])).stdout).toMatch(/^Stripes[\s\S]*FT +\d+\.\d\d/)
  expect(await cli(['verify', '--board', slug, '--server', url])).toMatchObject({ code: 0 })
})

test('a file that a server would refuse is refused before it is sent, and without a server', async () => {
  const file = join(folder, 'wrong.json')
  const check = async (changes: Record<string, unknown>) => {
    await writeFile(file, JSON.stringify({ ...definition({ id: 'fashion-mnist-5k' }), ...changes }))
    const { code, stderr } = await cli(['benchmarks', 'check', file, '--home', join(folder, 'other')])
    return `${code} ${stderr}`
  }
  expect(await check({ slug: 'stripes' })).toMatch(/^2 [\s\S]*slug: expected it to begin with "own\."/)
  expect(await check({ presets: { tf: {} } })).toMatch(/^2 [\s\S]*no method "tf"/)
  expect(await check({ request: { kind: 'class', label: 12 } })).toMatch(/^1 [\s\S]*forgets class 12/)
  expect(await check({})).toMatch(/^0 Nothing is wrong with it/)
})

test('a list of images is sent by its hash; a runner that has it computes the run, probes too, and a machine without it says what it lacks', {
  timeout: 300_000,
}, async () => {
  const slug = 'own.fashion.small-cnn.list'
  const file = join(folder, 'list.json')
  const list = Array.from({ length: 50 }, (_, i) => 97 * i)
  await writeFile(join(folder, 'mine.txt'), list.join('\n'))
  const request = { kind: 'items', path: 'mine.txt' }
  const quick = { ...definition({ id: 'fashion-mnist-5k' }), requires: {}, request, slug, title: 'A list' }
  const training = { ...quick.training, epochs: 1, batchSize: 64 }
  const task = { id: 'classification', probes: { relearn: { steps: 4, every: 2, batchSize: 16 }, linear: {} } }
  const probes = ['relearn/steps-95@1', 'relearn/area@1', 'membership-probe/auc@1']
  const metrics = [...quick.metrics, ...probes]
  await writeFile(file, JSON.stringify({ ...quick, training, task, metrics, presets: { ft: { epochs: 1 } } }))
  const made = await cli(['benchmarks', 'create', file, '--server', url, '--home', join(folder, 'other')], {
    PALIMPSEST_TOKEN: organiser,
  })
  expect(made.code).toBe(0)
  const [, hash] = /as ([0-9a-f]{64})\.npy, \.txt or \.json among their --data/.exec(made.stderr)!
  const lists = join(folder, 'lists')
  await mkdir(lists)
  const tokens = ['--server', url, '--token-file', join(home, 'tokens.json')]
  const secret = (await cli(['runners', 'invite', ...tokens])).stdout.trim()
  await writeFile(join(lists, `${hash}.json`), JSON.stringify(list.toReversed()))
  const words = ['runner', '--server', url, '--home', join(folder, 'lister'), '--name', 'lister', '--data', lists]
  const runner = startCli(words, { PALIMPSEST_ENROLMENT: secret })
  const submitted = await cli(['submit', slug, '--method', 'ft', '--watch', ...tokens])
  expect(submitted.stderr).toMatch(/✓ FT, seed 0 {2}UA [\d.]+ .* Relearn [\d.]+ .* Probe AUC [\d.]+ .* gap [\d.]+/)
  runner.child.kill('SIGINT')
  await runner.ended
  expect((await cli(['board', slug, '--server', url])).stdout).toMatch(/Relearn +Relearn area +Probe AUC/)
  expect(await cli(['verify', '--board', slug, '--server', url])).toMatchObject({ code: 0 })
  const again = ['run', slug, '--method', 'ft', '--home', join(folder, 'again'), '--server', url]
  expect((await cli(again)).stderr).toContain(`the list of images with the hash ${hash} was not found`)
  expect((await cli([...again, '--data', lists])).code).toBe(0)
})
