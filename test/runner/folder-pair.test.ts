/** Pictures in forget/ and retain/ in place of train/: the same dataset, and a request that takes the first. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { imageFolder } from '../../runner/data/datasets/image-folder.ts'
import { readIndexList } from '../../runner/data/files/index-list.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { writeTinyBenchmark } from '../support/image-folder.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await temporaryFolder()
  file = await writeTinyBenchmark(folder, { request: { kind: 'folder' } })
})
afterAll(cleanUp)

/** Of a to c twelve pictures each, by name 0, 1, 10, 11, 2 …: `2` of a is at 4, all of c from 24. */
const FORGOTTEN = ['a/2', 'c/0', 'c/1', 'c/10', 'c/11', 'c/2', 'c/3', 'c/4', 'c/5', 'c/6', 'c/7', 'c/8', 'c/9']
const POSITIONS = [4, ...Array.from({ length: 12 }, (_, i) => 24 + i)]

/** Moves what lies in train: some pictures to forget, the others to retain. */
async function divide(): Promise<void> {
  await rename(join(folder, 'train'), join(folder, 'retain'))
  for (const name of ['a', 'c']) await mkdir(join(folder, 'forget', name), { recursive: true })
  for (const name of FORGOTTEN)
    await rename(join(folder, 'retain', `${name}.png`), join(folder, 'forget', `${name}.png`))
}
const load = () => imageFolder.load({ directories: [], cache: folder, path: folder })
const check = () => cli(['benchmarks', 'check', file, '--home', join(folder, 'home')])

test('what is divided is the dataset that it was, whichever pictures are to be forgotten', async () => {
  const whole = await load()
  await divide()
  const { digest, classes, train } = await load()
  expect(classes).toEqual(['a', 'b', 'c'])
  expect(train.labels).toEqual(whole.train.labels)
  expect(digest).toBe(whole.digest)
  expect([...(await readIndexList(join(folder, 'forget'))).list]).toEqual(POSITIONS)
})

test('a class may lie in one of the two alone, and of two pictures with one name that in forget comes first', async () => {
  await divide()
  await rm(join(folder, 'retain', 'c'), { recursive: true })
  await rename(join(folder, 'retain', 'a', '0.png'), join(folder, 'retain', 'a', '2.png'))
  expect([...(await readIndexList(join(folder, 'forget'))).list]).toEqual([3, ...POSITIONS.slice(1)])
  expect((await load()).train.count).toBe(36)
})

test('run forgets the folder: the stages of a list of its positions, which are then kept', {
  timeout: 120_000,
}, async () => {
  const words = ['--method', 'ft', '--threads', '1', '--home', join(folder, 'home'), '--format', 'json']
  const definition = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(join(folder, 'list.json'), JSON.stringify(POSITIONS))
  const listed = join(folder, 'listed.json')
  const request = { kind: 'items', path: 'list.json' }
  await writeFile(listed, JSON.stringify({ ...definition, request }))
  const whole = await cli(['run', listed, ...words])
  expect([whole.code, whole.stderr]).toEqual([0, expect.anything()])
  await divide()
  const divided = await cli(['run', file, ...words])
  expect(divided.stderr).toContain('Finished 5 stages (5 reused)')
  expect(divided.code).toBe(0)
  const keys = ({ stdout }: { stdout: string }) =>
    JSON.parse(stdout).runs.map(({ stages }: { stages: { key: string }[] }) => stages.map(({ key }) => key))
  expect(keys(divided)).toEqual(keys(whole))
  expect(JSON.parse(divided.stdout).benchmark.request).toMatchObject({ kind: 'items', count: 13 })
})

test.each<[string, () => Promise<unknown>, RegExp]>([
  ['only train', async () => {}, /request\.kind: folder expects .* to hold forget\/<class>.*, got no forget/],
  [
    'train beside the two',
    async () => {
      await divide()
      await mkdir(join(folder, 'train'))
    },
    /expected either train, or forget and retain in its place, got both/,
  ],
  [
    'forget alone',
    () => rename(join(folder, 'train'), join(folder, 'forget')),
    /expected forget and retain, got forget alone; put the images of retain beside it/,
  ],
  [
    'nothing to forget',
    async () => {
      await rename(join(folder, 'train'), join(folder, 'retain'))
      await mkdir(join(folder, 'forget'))
    },
    /forget: expected at least one image in its class folders, got none/,
  ],
  [
    'a class that is tested and in none',
    async () => {
      await divide()
      await rm(join(folder, 'retain', 'b'), { recursive: true })
    },
    /expected the same classes in forget and retain as in test, but b is only in test/,
  ],
  [
    'a class without a picture in either',
    async () => {
      await divide()
      await mkdir(join(folder, 'forget', 'd'))
      await mkdir(join(folder, 'test', 'd'))
    },
    /\{forget,retain\}.d: expected at least one image, got none/,
  ],
])('says what is wrong with %s', async (_, change, message) => {
  await change()
  const run = await cli(['run', file, '--method', 'retrain', '--home', join(folder, 'home')])
  expect(run.stderr).toMatch(message)
  expect(run.code).not.toBe(0)
})

test('a folder is only of an image-folder with a path', async () => {
  const definition = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...definition, slug: 'own.tiny', dataset: { id: 'fashion-mnist-5k' } }))
  expect((await check()).stderr).toMatch(
    /request\.kind: folder is of an image-folder .*; the dataset is fashion-mnist-5k/,
  )
})
