/** The command line: what it prints, what it refuses, and with which exit code. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test, vi } from 'vitest'
import * as commands from '../../runner/commands/index.ts'
import { paramsFrom, resolveParams, targetFrom } from '../../runner/commands/parts/arguments.ts'
import { checkBenchmark } from '../../runner/commands/parts/check-benchmark.ts'
import { groups } from '../../runner/commands/parts/command.ts'
import { benchmarks } from '../../runner/pipeline/catalogue.ts'
import { runnerTasks } from '../../runner/pipeline/tasks.ts'
import {
  methods,
  metricsOf,
  offeredBy,
  resolveParams as resolved,
  scienceTasks,
} from '../../runner/science/catalogue/catalogue.ts'
import { portTrouble } from '../../runner/server/door.ts'
import { checkWritable } from '../../runner/terminal/report.ts'
import { cleanUp, cli, startCli, temporaryFolder } from '../support/cli.ts'
import { writeImageFolder } from '../support/image-folder.ts'

afterAll(cleanUp)

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const quickstart = benchmarks.get(SLUG)!

/** A benchmark in a file, one epoch long. */
async function benchmarkFile(folder: string, changes: Record<string, unknown> = {}): Promise<string> {
  const path = join(folder, 'benchmark.json')
  const training = { ...quickstart.training, epochs: 1 }
  await writeFile(path, JSON.stringify({ ...quickstart, slug: 'tiny', training, presets: {}, ...changes }))
  return path
}

test.each([
  [
    'an unknown benchmark',
    ['run', 'fashion-mnist-5k.small-cnn.random-1', '--method', 'ft'],
    /no benchmark .*did you mean "fashion-mnist-5k\.small-cnn\.random-10"\?.*known: .*cifar10/,
  ],
  [
    'an unknown method',
    ['run', SLUG, '--method', 'salum'],
    /no method "salum"; did you mean "salun"\?; known: .*retrain/,
  ],
  [
    'an unknown parameter',
    ['run', SLUG, '--method', 'ft', '--param', 'learningrat=1'],
    /ft has no parameter "learningrat"; did you mean "learningRate"\?; known: epochs/,
  ],
  [
    'a parameter out of range',
    ['run', SLUG, '--method', 'salun', '--param', 'density=1.5'],
    /density: expected at most 1, got 1\.5/,
  ],
  [
    'a parameter of another type',
    ['run', SLUG, '--method', 'ft', '--param', 'epochs=many'],
    /epochs: expected number, got "many"/,
  ],
  [
    'a parameter without a value',
    ['run', SLUG, '--method', 'ft', '--param', 'epochs'],
    /--param epochs: expected name=value/,
  ],
  [
    'a parameter given twice',
    ['run', SLUG, '--method', 'ft', '--param', 'epochs=1', '--param', 'epochs=2'],
    /epochs: expected once, came twice/,
  ],
  [
    'a choice that is none',
    ['run', SLUG, '--method', 'salun', '--param', 'mask=some'],
    /mask: expected "saliency" or "random" or "inverted" or "none", got "some"/,
  ],
  [
    'seeds that are no numbers',
    ['run', SLUG, '--method', 'ft', '--seeds', '0,x'],
    /--seeds: expected different whole numbers from 0, such as 0,1,2 or 0-4, got "0,x"/,
  ],
  [
    'a seed given twice',
    ['run', SLUG, '--method', 'ft', '--seeds', '1,1'],
    /--seeds: expected different whole numbers/,
  ],
  ['a missing method', ['run', SLUG], /required option '--method <id>' not specified/],
  ['an unknown option', ['run', SLUG, '--method', 'ft', '--sedes', '0'], /unknown option '--sedes'/],
  ['an unknown command', ['rnu'], /unknown command 'rnu'/],
  [
    'an unknown command of a group',
    ['runners', 'lst'],
    /no command of runners "lst"; did you mean "list"\?; known: list, invite/,
  ],
  ['help of an unknown command', ['help', 'rnu'], /no command "rnu"; did you mean "run"\?; known: quickstart/],
  [
    'a benchmark behind --json',
    ['run', '--json', SLUG, '--method', 'ft'],
    /missing required argument 'benchmark'; "fashion-mnist-5k\.small-cnn\.random-10" was taken as the file of --json/,
  ],
  [
    'a parameter of two methods',
    ['run', SLUG, '--method', 'ft', '--method', 'rl', '--param', 'epochs=1'],
    /--param belongs to one method; with --method ft --method rl, leave it out/,
  ],
  [
    'a submission of two methods',
    ['submit', SLUG, '--method', 'ft', '--method', 'rl'],
    /--method: expected once, got ft and rl; submit each by a command of its own/,
  ],
  ['an empty home', ['serve', '--home', ''], /--home: expected a folder, got ""; name one, or leave --home out/],
  ['an empty data folder', ['run', SLUG, '--method', 'ft', '--data', ''], /--data: expected a folder, got ""/],
  ['a port that is none', ['serve', '--port', '70000'], /--port: expected a whole number from 0 to 65535, got "70000"/],
  [
    'a file that is not there',
    ['run', './nowhere.json', '--method', 'ft'],
    /nowhere\.json: expected the JSON file of a benchmark: /,
  ],
  [
    'a submission that the server would refuse',
    ['submit', SLUG, '--method', 'ft', '--param', 'epochs=0'],
    /epochs: expected at least 1, got 0/,
  ],
  ['a runner that is not enrolled', ['runner'], /this machine is not enrolled at .* set PALIMPSEST_ENROLMENT/],
  [
    'an enrolment secret of another form',
    ['runner', '--server', 'http://127.0.0.1:9', '--enrolment-file', 'package.json'],
    /--enrolment-file package\.json: expected an enrolment secret/,
  ],
])('%s ends with 2, says what was expected and creates nothing', async (_, words, message) => {
  const folder = await temporaryFolder()
  const home = join(folder, 'home')
  const { code, stdout, stderr } = await cli(words, { PALIMPSEST_HOME: home })
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  const made = await readdir(home).catch(() => [])
  expect(made).toEqual([])
})

test.each([
  ['a folder that there is not', ['missing', 'result.json'], /ENOENT/],
  ['a folder in its place', [], /it is a folder/],
])('--json into %s is refused before anything is computed', async (_, parts, why) => {
  const folder = await temporaryFolder()
  const words = ['run', SLUG, '--method', 'retrain', '--seeds', '0', '--json', join(folder, ...parts)]
  const { code, stderr } = await cli(words, { PALIMPSEST_HOME: join(folder, 'home') })
  expect(stderr).toMatch(/--json .*: cannot be written: .*; name a file in a folder that can be written to/)
  expect(stderr).toMatch(why)
  expect(code).toBe(2)
  expect(await readdir(folder)).toEqual([])
})

test('a file for values is neither made nor emptied before there are any', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'old.json'), 'old')
  for (const name of ['old.json', 'new.json']) await checkWritable(join(folder, name))
  expect(await readdir(folder)).toEqual(['old.json'])
  expect(await readFile(join(folder, 'old.json'), 'utf8')).toBe('old')
})

const images = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-0')!

test.each([
  ['of another task', quickstart, 'fid/inception-v3-pool3@1', 'ua/accuracy@1'],
  ['of another version', quickstart, 'ua/accuracy@2', 'ua/accuracy@1'],
  ['with a star for its extractor', images, 'classifier-fd/*@1', 'classifier-fd/small-cnn-features@1'],
  [
    'of a classifier that is not the judge',
    images,
    'classifier-fd/resnet18-features@1',
    'precision/small-cnn-features@1',
  ],
  ['of an extractor that is not asked for', images, 'fid/inception-v3-pool3@1', 'recall/small-cnn-features@1'],
])('a metric %s is refused before anything is computed', (_, benchmark, metric, known) => {
  const check = () => checkBenchmark({ ...benchmark, metrics: [metric] })
  expect(check).toThrow(`no metric of ${benchmark.slug} (${benchmark.task.id}) "${metric}"`)
  expect(check).toThrow(known)
})

test.each([...benchmarks])('every metric of %s can be measured', (_, benchmark) => {
  expect(() => checkBenchmark(benchmark)).not.toThrow()
})

test('a method that diverges is named at the end with 1, and the others are measured', async () => {
  const folder = await temporaryFolder()
  await writeImageFolder(folder)
  const path = await benchmarkFile(folder, {
    dataset: { id: 'image-folder', path: folder },
    model: { id: 'small-cnn' },
    presets: { ga: { learningRate: 10, epochs: 50, batchSize: 8 }, 'eu-k': { epochs: 2 } },
  })
  const file = join(folder, 'result.json')
  const words = ['run', path, '--method', 'all', '--seeds', '0', '--home', join(folder, 'home'), '--json', file]
  const { code, stdout, stderr } = await cli(words)
  expect(stderr).toMatch(/error: 1 of \d+ methods came to no result, and is left out above: GA \(seed 0\): /)
  expect(code).toBe(1)
  expect(stdout).toMatch(/^SalUn /m)
  expect(stdout).not.toMatch(/^GA /m)
  const { dropped, summaries } = JSON.parse(await readFile(file, 'utf8'))
  expect(dropped).toMatchObject([
    { method: 'ga', seed: 0, message: expect.stringContaining('lower the learning rate') },
  ])
  expect(stderr).toContain('LoTUS is left out: expected images that the original was not trained on')
  const plain = { ...quickstart, presets: {} }
  const offered = [...methods.keys()].filter((id) => 'values' in resolved(plain, id, {}))
  const measured = summaries.map(({ method }: { method: string }) => method)
  expect(measured.sort()).toEqual(offered.filter((id) => id !== 'ga').sort())
})

test('a benchmark file with mistakes is refused with all of them', async () => {
  const folder = await temporaryFolder()
  const path = await benchmarkFile(folder, { training: { ...quickstart.training, epochs: 0 }, metrics: [] })
  const { code, stderr } = await cli(['run', path, '--method', 'ft', '--home', folder])
  expect(stderr).toContain('training.epochs: expected at least 1, got 0')
  expect(stderr).toContain('metrics: expected at least 1 entries, got []')
  expect(code).toBe(2)
})

test.each([
  [
    'a class that there is not',
    { request: { kind: 'class', label: 10 } },
    /the request forgets class 10, but the dataset has classes 0 to 9: 0 \(T-shirt\/top\), .*9 \(Ankle boot\); change request\.label/,
  ],
  [
    'a model for another number of classes',
    { model: { ...quickstart.model, classes: 11 } },
    /model \(small-cnn\) is configured for 11 classes, but the dataset has 10; change model\.classes to 10/,
  ],
])('%s is refused before anything is computed', async (_, changes, message) => {
  const folder = await temporaryFolder()
  const path = await benchmarkFile(folder, changes)
  const home = join(folder, 'home')
  const { code, stdout, stderr } = await cli(['run', path, '--method', 'ft', '--home', home])
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(await readdir(join(home, 'stages')).catch(() => [])).toEqual([])
})

test('--help names every command under its group, the groups in their order', async () => {
  const { code, stdout } = await cli(['--help'])
  expect(code).toBe(0)
  const parts = stdout.split(/^(?=\S.*:$)/m)
  const shown = groups.map((group) => parts.findIndex((part) => part.startsWith(`${group}:`)))
  expect(shown).toEqual([...shown].sort((a, b) => a - b))
  for (const [name, { group }] of Object.entries(commands)) {
    const part = parts.find((part) => part.startsWith(`${group}:`))
    const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    expect(part).toMatch(new RegExp(`^ {2}${word} `, 'm'))
  }
})

test('suites are listed with their classes, which are not listed once more', async () => {
  const { stdout } = await cli(['list', 'suites'])
  expect(stdout).toContain('fashion-mnist-5k.small-cnn.class-wise')
  expect(stdout).toContain('fashion-mnist-5k.small-cnn.class-0 to fashion-mnist-5k.small-cnn.class-9')
  expect((await cli(['list', 'benchmarks'])).stdout).not.toContain('class-3')
})

test('list is data on stdout, and JSON on demand', async () => {
  const text = await cli(['list', 'methods'])
  expect(text).toMatchObject({ code: 0, stderr: '' })
  expect(text.stdout).toContain('density = 0.5')
  const { stdout } = await cli(['list', '--json'])
  type Parameters = Record<string, { name: string; default: unknown }[]>
  const known = JSON.parse(stdout) as { methods: { id: string; params: Parameters }[] }
  const ga = known.methods.find(({ id }) => id === 'ga')
  expect(ga?.params.classification?.find(({ name }) => name === 'learningRate')?.default).toBe(1e-4)
})

test('every member of every task is listed', async () => {
  const { stdout } = await cli(['list', '--json'])
  const known = JSON.parse(stdout) as Record<string, { id: string; tasks: string[]; params: Record<string, unknown> }[]>
  const ids = (name: string) => known[name]!.map(({ id }) => id).sort()
  expect(ids('methods')).toEqual([...methods.keys()].sort())
  expect(ids('metrics')).toEqual([...scienceTasks.keys()].flatMap((task) => [...metricsOf(task).keys()]).sort())
  expect(ids('population-metrics')).toEqual(
    [...scienceTasks.values()].flatMap(({ population }) => Object.keys(population?.metrics ?? {})).sort(),
  )
  expect(ids('models')).toEqual(
    [...runnerTasks.values()].flatMap(({ architectures }) => Object.keys(architectures)).sort(),
  )
  for (const { id, tasks, params } of known.methods!) {
    expect([id, Object.keys(params)]).toEqual([id, tasks])
    expect(tasks).toEqual(offeredBy(methods.get(id)!).map(({ task }) => task))
  }
})

test('a section can be narrowed to one member or to one task', async () => {
  const one = await cli(['list', 'methods', 'salun'])
  expect(one.stdout).toMatch(/^Methods\n {2}salun /)
  expect(one.stdout).toContain('generation\n')
  expect(one.stdout).not.toContain('l1-sparse')
  const classifiers = await cli(['list', 'methods', 'salun', '--task', 'classification', '--json'])
  expect(JSON.parse(classifiers.stdout)).toMatchObject({ id: 'salun', tasks: ['classification'] })
  const images = await cli(['list', 'metrics', '--task', 'generation'])
  expect(images.stdout).toContain('fid/inception-v3-pool3@1')
  expect(images.stdout).not.toContain('mia/svc-confidence@1')
  const other = await cli(['list', 'methods', 'esd', '--task', 'classification'])
  expect(other.stderr).toContain('esd is not for classification')
  expect(other.code).toBe(2)
})

test('a parameter that may be null is listed with both types', async () => {
  const { stdout } = await cli(['list', 'methods', 'ft', '--task', 'generation'])
  expect(stdout).toMatch(/clipNorm = 1 {2}number \| null/)
  expect(stdout).not.toContain('undefined')
})

test('a parameter that may be null takes a number or null; anything else is refused', () => {
  const [slug] = [...benchmarks.keys()].filter((slug) => benchmarks.get(slug)!.task.id === 'generation')
  const read = (word: string) => paramsFrom(benchmarks.get(slug!)!, 'ft', [word])
  expect(read('clipNorm=0.5')).toEqual({ clipNorm: 0.5 })
  expect(read('clipNorm=.5')).toEqual({ clipNorm: 0.5 })
  expect(read('clipNorm=null')).toEqual({ clipNorm: null })
  expect(resolveParams(benchmarks.get(slug!)!, 'ft', read('clipNorm=null'))).toMatchObject({ clipNorm: null })
  expect(() => resolveParams(benchmarks.get(slug!)!, 'ft', read('clipNorm=none'))).toThrow(/clipNorm: .*got "none"/)
})

test('a home folder that cannot be used is named, with what to do', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'file')
  await writeFile(file, '')
  const { code, stderr } = await cli(['run', SLUG, '--method', 'ft', '--home', file])
  expect(stderr).toContain(`the home folder ${file} cannot be used: it is a file`)
  expect(stderr).toContain('--home DIR')
  expect(code).toBe(2)
})

test.skipIf(process.getuid?.() === 0)('a home folder without rights is named, with what to do', async () => {
  const folder = join(await temporaryFolder(), 'closed')
  await mkdir(folder)
  await chmod(folder, 0o500)
  const { code, stderr } = await cli(['serve', '--home', folder])
  expect(stderr).toContain(`the home folder ${folder} cannot be used: no permission`)
  expect(code).toBe(2)
})

test('a port in use is named, with what to do', async () => {
  const other = createServer()
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
  const { port } = other.address() as { port: number }
  const { code, stderr } = await cli(['serve', '--home', await temporaryFolder(), '--port', `${port}`])
  other.close()
  expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use by another program; choose another one with --port N`)
  expect(code).toBe(2)
})

test('a port that needs rights is named, with what to do', () => {
  expect(portTrouble(80, 'EACCES')).toBe(
    'port 80 of 127.0.0.1 is kept for administrators on this machine, as ports below 1024 often are; choose another one with --port N, N from 1024, or --port 0 for a free one',
  )
})

test('a benchmark file may begin with a byte-order mark', async () => {
  const path = await benchmarkFile(await temporaryFolder())
  await writeFile(path, `\uFEFF${await readFile(path, 'utf8')}`)
  expect((await targetFrom(path)).slug).toBe('tiny')
})

test.skipIf(!existsSync('/dev/full'))('output that cannot be written ends with 1 and a message', async () => {
  const words = [process.execPath, '--experimental-strip-types', 'runner/cli.ts', 'list', 'methods']
  const failed = await promisify(execFile)('sh', ['-c', '"$@" > /dev/full', 'sh', ...words]).catch((error) => error)
  expect(failed.stderr).toContain('error: the output cannot be written: no space left on the device (ENOSPC)')
  expect(failed.stderr).not.toContain('    at ')
  expect(failed.code).toBe(1)
})

/** The command on a machine that has no build of some native modules. */
async function withoutModules(folder: string, hidden: RegExp) {
  const without = join(folder, 'without.mjs')
  await writeFile(
    without,
    `import Module from 'node:module'
    const hidden = ${hidden}
    const open = process.dlopen
    process.dlopen = (module, path, ...more) => {
      if (hidden.test(path)) throw new Error('no such library')
      return open(module, path, ...more)
    }
    // workerd is a program of a package of its own; sharp falls back to WebAssembly where npm brought that.
    const find = Module._resolveFilename
    Module._resolveFilename = (name, ...more) => {
      if (/^@(cloudflare.workerd|img.sharp)-/.test(name) && hidden.test(name)) throw new Error('no such library')
      return find(name, ...more)
    }`,
  )
  const home = join(folder, 'home')
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import ${without}`
  const refuses = async (words: string[], code: number, message: RegExp) => {
    const ended = await cli(words, { PALIMPSEST_HOME: home, NODE_OPTIONS })
    expect(ended.stderr).toMatch(message)
    expect(ended.stderr).not.toContain('    at ')
    expect(ended.code).toBe(code)
    return { ...ended, computed: existsSync(home) }
  }
  return { start: (words: string[]) => cli(words, { PALIMPSEST_HOME: home, NODE_OPTIONS }), refuses }
}

const HERE = `${process.platform} ${process.arch}`

test('without any native module, every command has its help, and what computes nothing works', async () => {
  const { start, refuses } = await withoutModules(await temporaryFolder(), /./)
  const { stdout } = await start(['--help'])
  const commands = [...stdout.matchAll(/^ {2}([a-z][\w-]+) .*/gm)].map(([, name]) => name!)
  expect(commands).toContain('quickstart')
  const words = [
    ['list'],
    ['list', 'methods', '--format', 'json'],
    ['completion', 'bash'],
    ...commands.map((name) => (name === 'help' ? ['help'] : [name, '--help'])),
  ]
  // A few at a time: the machine may have two cores.
  for (let at = 0; at < words.length; at += 3) {
    const ended = await Promise.all(words.slice(at, at + 3).map(start))
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ended.map(() => ({ code: 0, stderr: '' })))
  }
  await refuses(['runner', '--check'], 1, /onnxruntime-node does not start/)
})

test('without onnxruntime, what computes says where there is one', async () => {
  const { refuses } = await withoutModules(await temporaryFolder(), /onnxruntime/)
  const message = RegExp(
    `onnxruntime-node does not start on ${HERE}: no such library; it is built for darwin arm64, .*linux x64, .*; train, unlearn and evaluate on one of these`,
  )
  for (const words of [['run', SLUG, '--method', 'ft'], ['runner', '--check'], ['quickstart']])
    expect(await refuses(words, 1, message)).toMatchObject({ stdout: '', computed: false })
})

test('without sharp, only what reads or draws pictures is refused, before anything is computed', async () => {
  const folder = await temporaryFolder()
  const { start, refuses } = await withoutModules(folder, /sharp/)
  const message = RegExp(
    `sharp, which reads and draws pictures, does not start on ${HERE}: no such library; it is built for darwin arm64, darwin x64, .*linux x64, .*linux x64 \\(musl\\), .*win32 x64; on one of these npm ci installs it`,
  )
  for (const words of [['run', 'fashion-mnist-5k-16.ddpm-unet.class-0', '--method', 'ft'], ['quickstart']])
    expect(await refuses(words, 75, message)).toMatchObject({ stdout: '', computed: false })
  expect((await refuses(['runner', '--check'], 75, message)).stdout).toContain('Self-test  passed')
  const { code, stderr } = await start(['run', await benchmarkFile(folder), '--method', 'ft', '--seeds', '0'])
  expect(code, stderr).toBe(0)
})

test('without workerd, serve says where there is one', async () => {
  const { refuses } = await withoutModules(await temporaryFolder(), /workerd/)
  const builds = 'darwin arm64, darwin x64, linux arm64, linux x64, win32 x64'
  await refuses(
    ['serve', '--port', '0'],
    2,
    RegExp(`workerd, which servers run in, does not start on ${HERE}: .*${builds}, and on linux needs glibc`),
  )
})

test('npm, where it runs the post-install of onnxruntime-node, tells it to fetch nothing', async () => {
  const settings = (await readFile('.npmrc', 'utf8')).matchAll(/^([\w-]+)=(.*)$/gm)
  vi.stubEnv('ONNXRUNTIME_NODE_INSTALL', undefined)
  for (const [, name, value] of settings) vi.stubEnv(`npm_config_${name!.replaceAll('-', '_')}`, value!)
  const { parseInstallFlag } = createRequire(import.meta.url)('onnxruntime-node/script/install-utils.js')
  expect(parseInstallFlag()).toBe(false) // skips
  vi.stubEnv('ONNXRUNTIME_NODE_INSTALL', 'cuda12')
  expect(parseInstallFlag()).not.toBe(false) // asked for, as the image for GPUs does
  vi.unstubAllEnvs()
})

test('a run gives values, gaps to retrain and times, and a second one reuses every stage', async () => {
  const folder = await temporaryFolder()
  const words = [
    'run',
    await benchmarkFile(folder),
    '--method',
    'ft',
    '--param',
    'epochs=1',
    '--seeds',
    '0',
    '--home',
    folder,
  ]
  const file = join(folder, 'result.json')
  const first = await cli([...words, '--json', file])
  expect(first.stderr).toContain('Finished 5 stages in ')
  expect(first.stdout).toMatch(/Method +Avg\. Gap +UA +RA +TA +MIA +AUC +AUC \(entropy\)/)
  expect(first.code).toBe(0)
  const result = JSON.parse(await readFile(file, 'utf8'))
  const [retrain, ft] = result.runs
  expect([retrain.method, ft.method]).toEqual(['retrain', 'ft'])
  expect(ft.gaps.ua).toBeCloseTo(ft.metrics.ua - retrain.metrics.ua, 10)
  const gaps = ['ua', 'ra', 'ta', 'mia'].map((id) => Math.abs(ft.metrics[id] - retrain.metrics[id]))
  expect(ft.avgGap).toBeCloseTo(gaps.reduce((sum, gap) => sum + gap) / 4, 10)
  expect(ft.fractionOfRetrain).toBeCloseTo(ft.seconds / retrain.seconds, 10)

  const second = await cli([...words, '--json'])
  expect(second.stderr).toContain('Finished 5 stages (5 reused) in ')
  expect(JSON.parse(second.stdout)).toEqual(result)

  const forced = await cli([...words, '--json', '--force'])
  expect(forced.stderr).toContain('Finished 5 stages in ')
  const anew = JSON.parse(forced.stdout)
  const of = (all: { runs: { metrics: unknown; seconds: number }[] }) => all.runs.map(({ metrics }) => metrics)
  expect(of(anew)).toEqual(of(result))
  expect(anew.runs[0].seconds).not.toBe(result.runs[0].seconds)
})

test('Ctrl-C stops a run between chunks with 130, and the next run goes on where it stopped', async () => {
  const folder = await temporaryFolder()
  const words = [
    'run',
    await benchmarkFile(folder),
    '--method',
    'ft',
    '--param',
    'epochs=40',
    '--seeds',
    '0',
    '--home',
    folder,
  ]
  const first = startCli(words)
  await first.said('unlearn by ft, seed 0')
  first.child.kill('SIGINT')
  const { code, stderr, stdout } = await first.ended
  expect(stderr).toContain('Stopping after this chunk')
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' })

  words[words.indexOf('epochs=40')] = 'epochs=1'
  const second = await cli(words)
  // Both trainings and the evaluation of retrain were finished before.
  expect(second.stderr).toContain('Finished 5 stages (3 reused) in ')
  expect(second.code).toBe(0)
})

test('a damaged dataset is named with what was expected and what to do', async () => {
  const folder = await temporaryFolder()
  const data = join(folder, 'data')
  await mkdir(data)
  await writeFile(join(data, 'train-images-idx3-ubyte'), 'these are no images')
  const path = await benchmarkFile(folder, { dataset: { id: 'fashion-mnist' } })
  const { code, stderr } = await cli(['run', path, '--method', 'ft', '--seeds', '0', '--home', folder, '--data', data])
  expect(stderr).toMatch(
    /train-images-idx3-ubyte: expected 47040016 bytes, got 19 \(SHA-256 [0-9a-f]{64}, not c59f468a2f672dc8[0-9a-f]{48}\); replace it by the official file/,
  )
  expect(code).toBe(1)
})

test('evidence of a run can be scored again, and --method given twice runs both', async () => {
  const folder = await temporaryFolder()
  const { stdout } = await cli([
    'run',
    await benchmarkFile(folder),
    '--method',
    'retrain',
    '--method',
    'original',
    '--seeds',
    '0',
    '--home',
    folder,
    '--json',
  ])
  const { runs } = JSON.parse(stdout)
  expect(runs.map(({ method }: { method: string }) => method)).toEqual(['retrain', 'original'])
  const [run] = runs
  const evaluation = run.stages.at(-1).result
  const { sha256 } = evaluation.artifacts['evidence.safetensors']
  const scored = await cli(['score', join(folder, 'objects', sha256.slice(0, 2), sha256), '--json'])
  // Of all metrics, not only those of the benchmark.
  expect(JSON.parse(scored.stdout)).toMatchObject(evaluation.metrics)
  const refused = await cli(['score', 'package.json'])
  expect(refused.stderr).toMatch(/package\.json: /)
  expect(refused.code).toBe(2)
})

test.each([
  ['of a method that there is not', { salum: { density: 0.3 } }, /presets: no method "salum"; did you mean "salun"\?/],
  [
    'with a parameter of another name',
    { salun: { densty: 0.3 } },
    /presets\.salun: no parameter of salun "densty"; did you mean "density"\?/,
  ],
  ['with a value out of range', { salun: { density: 3 } }, /presets\.salun\.density: expected at most 1, got 3/],
])('a preset %s is refused before anything is computed', async (_, presets, message) => {
  const folder = await temporaryFolder()
  const path = await benchmarkFile(folder, { presets })
  const home = join(folder, 'home')
  const { code, stderr } = await cli(['run', path, '--method', 'ft', '--home', home])
  expect(stderr).toMatch(message)
  expect(code).toBe(2)
  expect(existsSync(home)).toBe(false)
})

test('a home where nothing can be made is refused with its reason, also where Node would try for ever', async () => {
  const { code, stderr } = await cli(['rescore', '--home', '/proc/palimpsest/home'])
  expect(stderr).toMatch(/^error: the home folder \/proc\/palimpsest\/home cannot be used: .*; make it writable/)
  expect(code).toBe(2)
})

test('reasons of the file system are in words, and name no path twice', async () => {
  const missing = await cli(['run', './nowhere.json', '--method', 'ft'])
  expect(missing.stderr).toBe(
    'error: ./nowhere.json: expected the JSON file of a benchmark: there is no such file or folder (ENOENT)\n',
  )
  const folder = await temporaryFolder()
  const token = await cli(['runners', 'list', '--token-file', 'package-lock.json', '--home', folder])
  expect(token.stderr).toContain('package-lock.json: expected the tokens that a server wrote there')
  await writeFile(join(folder, 'token'), 'nonsense')
  const other = await cli(['runners', 'list', '--token-file', join(folder, 'token')])
  expect(other.stderr).toContain('expected an admin token (pal_admin_...)')
})

test.each([
  ['that there is not', 'missing', /--data .*missing: expected a folder with files of datasets: there is no such file/],
  ['that is a file', 'package.json', /--data .*package\.json: expected a folder with files of datasets, got a file/],
])('--data %s is refused, instead of downloading', async (_, data, message) => {
  const folder = await temporaryFolder()
  const words = ['run', 'cifar10.resnet18.random-10', '--method', 'ft', '--home', folder, '--data', data]
  const { code, stderr } = await cli(words)
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
})
