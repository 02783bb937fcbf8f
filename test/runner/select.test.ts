/** Lists of the images that a model knows best or least, from evidence and the positions of its rows. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readIndexList } from '../../runner/data/files/index-list.ts'
import { readArrays } from '../../runner/formats/arrays.ts'
import { type Tensor, writeSafetensors } from '../../runner/formats/safetensors.ts'
import { orderings } from '../../runner/science/tasks/classification/examples.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { goldenBytes } from './golden.ts'

const EVIDENCE = fileURLToPath(new URL('../golden/evidence/float32.npz', import.meta.url))
/** Of 12 rows of D_f and 30 of D_r: every third image is forgotten, as far as it goes. */
const forget = Array.from({ length: 12 }, (_, i) => 3 * i)
const retain = Array.from({ length: 42 }, (_, i) => i).filter((i) => !forget.includes(i))

let folder: string
let split: string
beforeAll(async () => {
  folder = await temporaryFolder()
  split = await splitFile('split', { forget, retain })
})
afterAll(cleanUp)

async function splitFile(name: string, sets: Record<string, number[]>): Promise<string> {
  const path = join(folder, `${name}.safetensors`)
  const tensors = Object.entries(sets).map(([set, items]): [string, Tensor] => [
    set,
    { dtype: 'I32', shape: [items.length], data: Int32Array.from(items) },
  ])
  await writeFile(path, writeSafetensors(new Map(tensors)))
  return path
}

test('images are put in order by the columns of an example', () => {
  // Softmax of [0, ln 3] is [1/4, 3/4].
  const two = { logits: Float32Array.of(0, Math.log(3), 0, Math.log(3)), labels: Uint8Array.of(1, 0) }
  const evidence = { classes: 2, forget: two, retain: two, test: two, forgottenClass: null }
  for (const [by, [first, second]] of [
    ['loss', [Math.log(4 / 3), Math.log(4)]],
    ['margin', [Math.log(3), -Math.log(3)]],
    ['confidence', [3 / 4, 1 / 4]],
  ] as const) {
    const values = orderings[by]!(evidence, 'forget')
    expect(values[0], by).toBeCloseTo(first, 6)
    expect(values[1], by).toBeCloseTo(second, 6)
  }
})

/** Loss of every image of D, by its position. */
function losses(): number[] {
  const { arrays } = readArrays(goldenBytes('evidence/float32.npz'))
  const found: number[] = []
  for (const [set, images] of [
    ['forget', forget],
    ['retain', retain],
  ] as const) {
    const get = (part: string) => (arrays.get(`${set}.${part}`) ?? arrays.get(`${set}_${part}`))!
    const [logits, labels] = [Array.from(get('logits').data, Number), Array.from(get('labels').data, Number)]
    const classes = logits.length / labels.length
    for (const [row, label] of labels.entries()) {
      const own = logits.slice(row * classes, (row + 1) * classes)
      const total = own.reduce((sum, logit) => sum + Math.exp(logit), 0)
      found[images[row]!] = -Math.log(Math.exp(own[label]!) / total)
    }
  }
  return found
}

test.each([
  ['most', 'npy'],
  ['least', 'txt'],
  ['least', 'json'],
])('--%s writes the images of D as .%s, which run --forget reads', async (take, end) => {
  const out = join(folder, `${take}.${end}`)
  const words = ['select', EVIDENCE, '--split', split, '--by', 'loss', `--${take}`, '5', '--out', out]
  const { code, stderr } = await cli(words)
  expect(stderr).toMatch(/^Wrote 5 positions to .*: loss from [\d.e-]+ to [\d.e-]+\.\n$/)
  expect(code).toBe(0)
  const sign = take === 'most' ? -1 : 1
  const expected = losses()
    .map((value, image) => ({ value, image }))
    .sort((a, b) => sign * (a.value - b.value) || a.image - b.image)
  const { list } = await readIndexList(out)
  expect([...list]).toEqual(
    expected
      .slice(0, 5)
      .map(({ image }) => image)
      .sort((a, b) => a - b),
  )
})

test('what cannot be selected is refused with 2, and says why', async () => {
  const out = join(folder, 'no.npy')
  const refused = async (words: string[]) => {
    const { code, stderr } = await cli(['select', EVIDENCE, ...words, '--out', out])
    return `${code} ${stderr}`
  }
  const most = ['--most', '5']
  const short = await splitFile('short', { forget, retain: retain.slice(1) })
  expect(await refused(['--split', split, '--by', 'los', ...most])).toMatch(/^2 .*did you mean "loss"/s)
  expect(await refused(['--split', split, '--by', 'loss'])).toMatch(/^2 .*expected either --most N or --least N/s)
  expect(await refused(['--split', split, '--by', 'loss', '--most', '42'])).toMatch(/^2 .*fewer than the 42 images/s)
  expect(await refused(['--split', short, '--by', 'loss', ...most])).toMatch(
    /^2 .*expected 30 positions of retain.*got 29/s,
  )
  expect(await refused(['--split', EVIDENCE, '--by', 'loss', ...most])).toMatch(
    /^2 .*expected forget and retain as positions/s,
  )
})

test('a row an example names its image where the split is given', async () => {
  const csv = join(folder, 'examples.csv')
  expect((await cli(['score', EVIDENCE, '--per-example', csv, '--split', split])).code).toBe(0)
  const [head, ...lines] = (await readFile(csv, 'utf8')).trimEnd().split('\r\n')
  expect(head).toMatch(/^set,example,label,.*,mia,image$/)
  const imagesOf = (set: string) =>
    lines.map((line) => line.split(',')).flatMap((row) => (row[0] === set ? Number(row.at(-1)) : []))
  expect(imagesOf('forget')).toEqual(forget)
  expect(imagesOf('retain')).toEqual(retain)
  expect(imagesOf('test').slice(0, 3)).toEqual([0, 1, 2])
})
