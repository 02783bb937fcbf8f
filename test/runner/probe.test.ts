/** What a machine is found to be able to do, and what becomes of one that computes wrong numbers. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { missingForCuda } from '../../runner/commands/parts/device-choice.ts'
import { parseGpus } from '../../runner/machine/gpus.ts'
import { straysIn, straysOf } from '../../runner/probe/placement.ts'
import { trainTwice } from '../../runner/probe/self-test.ts'
import { probe, SELF_TEST_SHA256 } from '../../schema/probe.ts'
import { cleanUp, cli } from '../support/cli.ts'

afterAll(cleanUp)

const wrongNumbers = pathToFileURL(join(import.meta.dirname, '../support/wrong-numbers.mjs')).href

test('GPUs are read from the rows of nvidia-smi', () => {
  const rows = 'NVIDIA H100 80GB HBM3, 81559, 550.54.15\nNVIDIA GB10, [N/A], 580.82.07\n'
  expect(parseGpus(rows)).toEqual([
    { name: 'NVIDIA H100 80GB HBM3', memoryBytes: 81559 * 1024 * 1024, driver: '550.54.15' },
    { name: 'NVIDIA GB10', memoryBytes: 0, driver: '580.82.07' },
  ])
})

test('--check says what the machine can do, and ends well', async () => {
  const { code, stdout } = await cli(['runner', '--check'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Versions {3}palimpsest .*onnxruntime 1\./)
  expect(stdout).toMatch(/cpu {6}works/)
  expect(stdout).toMatch(/Self-test {2}passed/)
})

test('--check --json gives what a server is told', async () => {
  const { code, stdout } = await cli(['runner', '--check', '--json', '--threads', '1'])
  const found = probe.parse(JSON.parse(stdout).probe)
  expect(code).toBe(0)
  expect(found).toMatchObject({ selfTest: SELF_TEST_SHA256, device: { provider: 'cpu', threads: 1 } })
  expect(found.providers).toContain('cpu')
  expect(found.memoryBytes).toBeGreaterThan(2 ** 28)
})

test('a machine that computes wrong numbers fails --check with 1, and leases nothing', async () => {
  const broken = { NODE_OPTIONS: `--import ${wrongNumbers}` }
  const checked = await cli(['runner', '--check'], broken)
  expect(checked.code).toBe(1)
  expect(checked.stdout).toMatch(/Self-test {2}failed: .*wrong numbers/)
  const { code, stderr } = await cli(['runner', '--server', 'http://127.0.0.1:9'], {
    ...broken,
    PALIMPSEST_ENROLMENT: `pal_enrol_${'0'.repeat(48)}`,
  })
  expect(code).toBe(1)
  expect(stderr).toContain('the self-test failed')
})

const library = { path: '/there/libonnxruntime_providers_cuda.so', exists: true }
const works = { name: 'cuda', works: true, trouble: '' }

test.each([
  [
    'no driver',
    { trouble: 'no nvidia-smi', cuda: null },
    works,
    library,
    ['no nvidia-smi: install a driver for CUDA 12'],
  ],
  [
    'an old driver',
    { trouble: null, cuda: '11.4' },
    works,
    library,
    ['the driver serves CUDA 11.4: update it to CUDA 12'],
  ],
  [
    'no library',
    { trouble: null, cuda: '12.8' },
    { ...works, works: false, trouble: 'Failed to load shared library' },
    { ...library, exists: false },
    [expect.stringMatching(/providers_cuda\.so is missing: .*fetch it with: ONNXRUNTIME_NODE_INSTALL=cuda12 node /)],
  ],
  [
    'a library that does not load',
    { trouble: null, cuda: '12.8' },
    { ...works, works: false, trouble: 'libcudnn.so.9 not found' },
    library,
    ['the CUDA provider does not start: libcudnn.so.9 not found; it needs CUDA 12 and cuDNN 9'],
  ],
  ['nothing but the engine', { trouble: null, cuda: '12.8' }, works, library, []],
])('what stands between a machine and CUDA: %s', (_, driver, cuda, file, missing) => {
  expect(missingForCuda({ driver, providers: [cuda] }, file)).toEqual(missing)
})

test('a device that was asked for and is not there is refused before anything is loaded', async () => {
  const { code, stderr } = await cli([
    'run',
    'fashion-mnist-5k.small-cnn.random-10',
    '--method',
    'ft',
    '--device',
    'cuda',
  ])
  expect(code).toBe(2)
  expect(stderr).toContain('--device cuda: no stage can run on a GPU here:')
  expect(stderr).toContain('Use --device cpu.')
})

test('the ops that left the provider are named, but for the Loop that holds them', () => {
  const node = (op_name: string, provider: string) => ({ cat: 'Node', args: { op_name, provider } })
  const profile = [
    { cat: 'Session', args: {} },
    node('Loop', 'CPUExecutionProvider'),
    node('Conv', 'CUDAExecutionProvider'),
    node('Gather', 'CPUExecutionProvider'),
    node('Gather', 'CPUExecutionProvider'),
    node('ArgMax', 'CPUExecutionProvider'),
  ]
  expect(straysIn(profile, 'cuda')).toEqual(['ArgMax', 'Gather'])
})

test('a real training step on the CPU leaves it nowhere, as the profile of onnxruntime tells', async () => {
  const strays = await straysOf('cpu', (profilePrefix) => trainTwice({ threads: 1, profilePrefix }))
  expect(strays).toEqual([])
  const elsewhere = await straysOf('cuda', (profilePrefix) => trainTwice({ threads: 1, profilePrefix }))
  expect(elsewhere).toEqual(expect.arrayContaining(['Add', 'Gather', 'Mul']))
})
