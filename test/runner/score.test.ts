/** `palimpsest score`: on evidence of every task, whoever saved it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeGenerationEvidence, encodeRealImages } from '../../runner/science/tasks/generation/evidence/codec.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { madeUpFeatures } from './features.ts'
import { goldenJson } from './golden.ts'

afterAll(cleanUp)

const [CLASSES, DIMENSION] = [4, 12]
const labelsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % CLASSES)
/** The judge calls everything class 0. */
const logits = Float32Array.from({ length: 40 * CLASSES }, (_, i) => (i % CLASSES === 0 ? 1 : 0))
const extractor = { id: 'small-cnn-features', weights: 'b'.repeat(64), preprocessing: 'none', dimension: DIMENSION }

test('evidence of generated images is scored with the file beside it, and asks for it where it is not given', async () => {
  const folder = await temporaryFolder()
  const [path, reference] = [join(folder, 'evidence.safetensors'), join(folder, 'reference.safetensors')]
  const real = { features: madeUpFeatures(2, 60, DIMENSION).data, labels: labelsOf(60) }
  const bytes = encodeRealImages(real, extractor)
  await writeFile(reference, bytes)
  const evidence = encodeGenerationEvidence({
    classes: CLASSES,
    forgottenClass: 2,
    labels: labelsOf(40),
    judge: { key: 'a'.repeat(64), testAccuracy: 90, logits },
    extractor,
    features: madeUpFeatures(1, 40, DIMENSION).data,
    scores: logits,
    scoreClasses: CLASSES,
    real: { ...real, sha256: sha256Of(bytes) },
  })
  await writeFile(path, evidence)

  const alone = await cli(['score', path])
  expect(alone.stderr).toContain('generation: needs reference.safetensors too: give it with --reference FILE')
  expect(alone.code).toBe(2)
  const { stdout } = await cli(['score', path, '--reference', reference, '--json'])
  const values = JSON.parse(stdout) as Record<string, { identity: string; value: number }>
  // No image of class 2 is recognised; of the three others, those of class 0.
  expect(values['generated-ua']?.value).toBe(100)
  expect(values['generated-ra']?.value).toBeCloseTo(100 / 3, 10)
  expect(values['classifier-fd']?.identity).toContain(`ref=${sha256Of(bytes)}`)
  // Features of a classifier are not FID's.
  expect(values.fid).toBeUndefined()
  const other = await cli(['score', path, '--reference', reference, '--metric', 'fid/inception-v3-pool3@1'])
  expect(other.stderr).toContain('no metric of such evidence "fid/inception-v3-pool3@1"')
  expect(other.code).toBe(2)
})

test.each(['package.json', 'docs/board.png', 'test/golden/torch-file/example.pth'])(
  '%s is no evidence, and is refused with what was expected',
  async (path) => {
    const { code, stderr } = await cli(['score', path])
    expect(stderr).toMatch(
      /^error: .*: expected (safetensors, or an \.npz as numpy\.savez writes it|\.npy files in the archive)/,
    )
    expect(stderr).toContain(path)
    expect(code).toBe(2)
  },
)

test('evidence that no task can read is refused by each with its reason', async () => {
  const { code, stderr } = await cli(['score', golden('strange.npz'), '--reference', golden('real.npz')])
  expect(stderr).toContain('strange.npz: expected the evidence of a task, got none that can be read:')
  expect(stderr).toMatch(/classification: expected arrays of .* got "forget_logit"/)
  expect(stderr).toMatch(/generation: expected arrays of labels, features/)
  expect(code).toBe(2)
})

const golden = (name: string) => join(import.meta.dirname, '../golden/evidence', name)
const expected = goldenJson('evidence/expected.json')
type Values = Record<string, { identity: string; value: number }>
const scoreOf = async (...words: string[]) => {
  const { code, stdout, stderr } = await cli(['score', ...words, '--json'])
  expect([code, stderr]).toEqual([0, expect.any(String)])
  return { values: JSON.parse(stdout) as Values, stderr }
}

test.each([
  'float32.npz',
  'float16-compressed.npz',
  'float64-columns.npz',
  'float16.safetensors',
  'float64.safetensors',
])('%s of other software has the scores that numpy and scikit-learn find', async (name) => {
  const { values } = await scoreOf(golden(name))
  const found = Object.fromEntries(Object.entries(values).map(([id, { value }]) => [id, value]))
  for (const id of ['ua', 'ra', 'ta', 'mia']) expect(found[id], id).toBeCloseTo(expected[id], 10)
})

test('what a file lacks is left out with its metrics, by name', async () => {
  const { values, stderr } = await scoreOf(golden('no-test.npz'))
  expect(Object.keys(values).sort()).toEqual(['ra', 'ua'])
  expect(stderr).toContain('left out ta/accuracy@1: the test set: expected at least one example, got none')
  const asked = await cli(['score', golden('no-test.npz'), '--metric', 'ta/accuracy@1'])
  expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('the test set: expected at least one')])
})

test('a forgotten class that the file does not name can be given', async () => {
  const whole = await scoreOf(golden('float32.npz'))
  expect((await scoreOf(golden('float32.npz'), '--forgotten-class', '1')).values.ta).toEqual(whole.values.ta)
  const other = await scoreOf(golden('float32.npz'), '--forgotten-class', '3')
  expect(other.values.ta?.value).not.toBe(whole.values.ta?.value)
  const beyond = await cli(['score', golden('float32.npz'), '--forgotten-class', '4'])
  expect([beyond.code, beyond.stderr]).toEqual([2, expect.stringContaining('a forgottenClass below 4')])
})

test('beside retrain every metric has its gap, and Avg. Gap is their mean over the metrics of boards', async () => {
  const { stdout } = await cli(['score', golden('float32.npz'), '--retrain', golden('float32.npz'), '--json'])
  const { comparison } = JSON.parse(stdout)
  expect(comparison).toMatchObject({ avgGap: 0, gaps: { ua: 0, mia: 0 } })
  // The float32 variant of MIA has no column on boards.
  expect([...comparison.over].sort()).toEqual(['mia', 'ra', 'ta', 'ua'])
  const one = await cli(['score', golden('float32.npz'), '--retrain', golden('no-test.npz')])
  expect(one.stderr).toContain('No Avg. Gap: it needs')
  const two = await cli([
    'score',
    golden('float32.npz'),
    '--retrain',
    golden('no-test.npz'),
    '--metric',
    'ua/accuracy@1',
  ])
  expect(two.stdout).toMatch(/ua\/accuracy@1 +41\.6667 +41\.6667 +0\.0000\nAvg\. Gap 0\.0000: the mean \|gap\| of UA/)
})

test('--per-example writes a row an example, with what the attack takes it for', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'examples.csv')
  const { values } = await scoreOf(golden('float32.npz'), '--per-example', path)
  const [head, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\r\n')
  expect(head).toBe('set,example,label,predicted,correct,confidence,entropy,m-entropy,loss,margin,mia')
  const rows = lines.map((line) => line.split(','))
  expect(rows).toHaveLength(12 + 30 + 20)
  const forget = rows.slice(0, 12)
  expect(forget.map(([, , label]) => Number(label))).toEqual(expected.forget.labels)
  expect(forget.map(([, , , predicted]) => Number(predicted))).toEqual(expected.forget.predicted)
  const taken = forget.filter((row) => row.at(-1) === 'non-member').length
  expect((100 * taken) / 12).toBeCloseTo(values.mia!.value, 10)
  expect(rows.slice(12).every((row) => row.at(-1) === '')).toBe(true)
})

test('generated images saved with numpy are scored by what is there of them', async () => {
  const { values } = await scoreOf(golden('samples.npz'), '--reference', golden('real.npz'))
  expect(values.fid?.value).toBeCloseTo(expected.fidRemaining, 5)
  expect(values['generated-ua']?.value).toBe(expected.generatedUa)
  expect(values['generated-ra']?.value).toBe(expected.generatedRa)
  // Scores of the extractor were not saved.
  expect(values['inception-score']).toBeUndefined()
})

test.each([
  ['samples', 'real-statistics', 'fidRemainingAgainstAll', 'fid/inception-v3-pool3@1;dim=6;n=30;statistics='],
  ['generated-statistics', 'real-statistics', 'fid', 'fid/unnamed@1;dim=6;statistics='],
  ['generated-statistics', 'real', 'fid', 'fid/inception-v3-pool3@1;dim=6;statistics='],
] as const)('FID of %s against %s is that of numpy', async (own, reference, key, identity) => {
  const { values } = await scoreOf(golden(`${own}.npz`), '--reference', golden(`${reference}.npz`))
  expect(values.fid?.value).toBeCloseTo(expected[key], 5)
  expect(values.fid?.identity).toContain(identity)
})

test.each([
  ['labels that are no whole numbers', ['float-labels.npz'], 'forget.labels: expected whole numbers, got <f4'],
  ['an array of another name', ['strange.npz'], 'got "forget_logit"'],
  ['objects', ['objects.npz'], 'save plain arrays'],
  ['statistics of another shape', ['samples.npz', 'wrong-statistics.npz'], 'got [6] and [6, 5]'],
  ['statistics with nothing beside them', ['real-statistics.npz'], 'expected --reference with what to compare it with'],
])('%s are refused with 2, by the name of the file', async (_, [own, reference], message) => {
  const words = ['score', golden(own!), ...(reference ? ['--reference', golden(reference)] : [])]
  const { code, stdout, stderr } = await cli(words)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(`${golden(reference ?? own!)}`)
  expect(stderr).toContain(message)
})

test('a folder without pictures is refused, before weights are looked for', async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'empty'))
  const words = ['score', join(folder, 'empty'), '--reference', golden('real-statistics.npz'), '--home', folder]
  const { code, stderr } = await cli(words)
  expect([code, stderr]).toEqual([1, expect.stringContaining('empty: expected at least two pictures, got 0')])
})

test('--help says how a file must look', async () => {
  const { stdout } = await cli(['score', '--help'])
  for (const name of ['forget.logits [n, classes]', 'savez', 'float16', 'forgottenClass', 'mu and sigma']) {
    expect(stdout).toContain(name)
  }
})
