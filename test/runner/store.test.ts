/** The store on disk: objects by their hash, results by their key, locks, and what damage and crashes leave. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkpointOf, checkpointPath, checkpointPosition } from '../../runner/store/checkpoint.ts'
import { makeOnce } from '../../runner/store/once.ts'
import { openStore, type Store, StoreError } from '../../runner/store/store.ts'
import { reasonOf } from '../../runner/store/write.ts'
import type { StageResult } from '../../schema/result.ts'

const KEY = 'a'.repeat(64)
/** SHA-256 of the three bytes `abc`, from FIPS 180-2. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const abc = new TextEncoder().encode('abc')

let home: string
let store: Store

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  store = openStore(home)
})
afterEach(() => rm(home, { recursive: true }))

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  )
const objectPath = () => join(home, 'objects', 'ba', ABC)

const resultWith = (artifacts: StageResult['artifacts']): StageResult => ({
  artifacts,
  seconds: { setUp: 1, train: 2.5 },
  device: { deviceClass: 'test', provider: 'cpu', precision: 'float32', threads: 1 },
  versions: { palimpsest: '0' },
  metrics: {},
  losses: [2, 1],
})

describe('objects', () => {
  test('are kept by their SHA-256', async () => {
    expect(await store.has(ABC)).toBe(false)
    expect(await store.put(abc)).toEqual({ sha256: ABC, bytes: 3 })
    expect(await store.has(ABC)).toBe(true)
    expect(new TextDecoder().decode(await store.get(ABC))).toBe('abc')
    expect(await readdir(join(home, 'objects', 'ba'))).toEqual([ABC])
  })

  test('that are missing say so', async () => {
    const error = await failure(store.get(ABC))
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toContain(`${objectPath()}: not found`)
  })

  test('that come in pieces count once they are whole, and go on where an earlier attempt stopped', async () => {
    const broken = store.receive({ sha256: ABC, bytes: 3 }, async (file) => {
      await file.append(abc.subarray(0, 2))
      throw new Error('cut off')
    })
    expect((await failure(broken)).message).toBe('cut off')
    expect(await store.has(ABC)).toBe(false)
    await store.receive({ sha256: ABC, bytes: 3 }, (file) => file.append(abc.subarray(file.size())))
    expect(new TextDecoder().decode(await store.get(ABC))).toBe('abc')
    expect(await store.slice(ABC, 1, 5)).toEqual(abc.subarray(1))
  })

  test('that come as something else are thrown away and named', async () => {
    const other = store.receive({ sha256: ABC, bytes: 3 }, (file) => file.append(Uint8Array.of(1, 2, 3)))
    const error = await failure(other)
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toContain(ABC)
    expect(await store.has(ABC)).toBe(false)
    await store.receive({ sha256: ABC, bytes: 3 }, (file) => file.append(abc))
    await store.verify(ABC)
  })

  test('that were damaged are moved aside and can be put again', async () => {
    await store.put(abc)
    await writeFile(objectPath(), 'abd')
    const error = await failure(store.get(ABC))
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toContain('the file is damaged')
    expect(await readFile(join(home, 'corrupt', ABC), 'utf8')).toBe('abd')
    expect(await store.has(ABC)).toBe(false)
    await store.put(abc)
    expect(await store.get(ABC)).toHaveLength(3)
  })

  test('that were cut off are replaced by the next put', async () => {
    await store.put(abc)
    await writeFile(objectPath(), 'ab')
    await store.put(abc)
    expect(await store.get(ABC)).toHaveLength(3)
  })

  test('put at the same time by many are whole', async () => {
    const refs = await Promise.all(Array.from({ length: 20 }, () => store.put(abc)))
    expect(new Set(refs.map(({ sha256 }) => sha256))).toEqual(new Set([ABC]))
    expect(await readdir(join(home, 'objects', 'ba'))).toEqual([ABC])
  })

  test('that cannot be written give the path, the reason and what to do', async () => {
    await writeFile(join(home, 'objects'), 'in the way')
    const error = await failure(store.put(abc))
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toBe(
      `${objectPath()}: cannot be written: part of the path is a file (ENOTDIR); make room there, or choose another home folder`,
    )
  })

  test.skipIf(process.getuid?.() === 0)('without the right to write give the reason', async () => {
    await chmod(home, 0o500)
    const error = await failure(store.put(abc))
    await chmod(home, 0o700)
    expect(error.message).toContain('no permission (EACCES)')
  })

  test.skipIf(process.platform !== 'linux')('on a full disk would give that reason', async () => {
    const error = await failure(writeFile('/dev/full', 'x')) // every write to it fails with ENOSPC
    expect(reasonOf(error)).toBe('no space left on the device (ENOSPC)')
  })

  test('that cannot be put in place leave no partial file', async () => {
    await mkdir(join(objectPath(), 'in the way'), { recursive: true })
    await failure(store.put(abc))
    expect(await readdir(join(home, 'objects', 'ba'))).toEqual([ABC])
  })
})

describe('stages', () => {
  test('come back as they were written', async () => {
    const result = resultWith({ 'weights.safetensors': await store.put(abc) })
    await store.writeStage(KEY, result)
    expect(await store.readStage(KEY)).toEqual(result)
    expect(await readdir(join(home, 'stages'))).toEqual([`${KEY}.json`])
  })

  test('that were never computed are null', async () => {
    expect(await store.readStage(KEY)).toBeNull()
  })

  test('whose artifact is missing count as not done', async () => {
    await store.writeStage(KEY, resultWith({ weights: await store.put(abc) }))
    await rm(objectPath())
    expect(await store.readStage(KEY)).toBeNull()
  })

  test('whose artifact was damaged count as not done once that was noticed', async () => {
    await store.writeStage(KEY, resultWith({ weights: await store.put(abc) }))
    await writeFile(objectPath(), 'abd')
    await failure(store.get(ABC))
    expect(await store.readStage(KEY)).toBeNull()
  })

  test('whose file is half written or from another version count as not done', async () => {
    await mkdir(join(home, 'stages'))
    for (const content of ['{"artifacts":', '{"artifacts":{}}', '']) {
      await writeFile(join(home, 'stages', `${KEY}.json`), content)
      expect(await store.readStage(KEY)).toBeNull()
    }
  })

  test('that are not valid are refused on writing', async () => {
    const result = { ...resultWith({}), seconds: { setUp: -1 } }
    await expect(store.writeStage(KEY, result)).rejects.toThrow()
    expect(await store.readStage(KEY)).toBeNull()
  })
})

describe('the lock of a stage', () => {
  const lockPath = () => join(home, 'locks', `${KEY}.lock`)
  const writeLock = async (pid: number, host = hostname()) => {
    await mkdir(join(home, 'locks'), { recursive: true })
    await writeFile(lockPath(), JSON.stringify({ pid, host, token: 'other' }))
  }
  const quick = { pollMs: 5 }

  test('makes a second holder wait for the first', async () => {
    const order: string[] = []
    const release = await store.lockStage(KEY)
    const second = store.lockStage(KEY, { ...quick, onWait: (holder) => order.push(holder) }).then((release) => {
      order.push('second')
      return release
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    order.push('first released')
    await release()
    await (await second)()
    expect(order).toEqual([`process ${process.pid} on ${hostname()}`, 'first released', 'second'])
    expect(await readdir(join(home, 'locks'))).toEqual([])
  })

  test('is held by one at a time among many', async () => {
    let inside = 0
    let most = 0
    const one = async () => {
      const release = await store.lockStage(KEY, { pollMs: 1 })
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 2))
      inside--
      await release()
    }
    await Promise.all(Array.from({ length: 10 }, one))
    expect(most).toBe(1)
  })

  test('of a process that is dead is taken over at once', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    await writeLock(child.pid!)
    await (await store.lockStage(KEY, quick))()
  })

  test('of a process that lives is respected', async () => {
    await writeLock(process.ppid)
    const signal = AbortSignal.timeout(40)
    expect((await failure(store.lockStage(KEY, { ...quick, signal }))).name).toMatch(/AbortError|TimeoutError/)
    expect(JSON.parse(await readFile(lockPath(), 'utf8')).token).toBe('other')
  })

  test('of another machine is taken over only after it was not renewed for a while', async () => {
    await writeLock(1, 'elsewhere')
    const signal = AbortSignal.timeout(40)
    await failure(store.lockStage(KEY, { ...quick, signal }))
    const past = new Date(Date.now() - 61_000)
    await utimes(lockPath(), past, past)
    await (await store.lockStage(KEY, quick))()
  })

  test('is renewed while it is held', async () => {
    const release = await store.lockStage(KEY, { staleMs: 100 })
    const second = failure(store.lockStage(KEY, { pollMs: 10, staleMs: 100, signal: AbortSignal.timeout(400) }))
    expect((await second).name).toMatch(/AbortError|TimeoutError/)
    await release()
  })

  test('that someone took over is not removed by the former holder', async () => {
    const release = await store.lockStage(KEY)
    await writeLock(process.ppid)
    await release()
    expect(JSON.parse(await readFile(lockPath(), 'utf8')).token).toBe('other')
  })

  test('that cannot be written is a StoreError', async () => {
    await writeFile(join(home, 'locks'), 'in the way')
    expect(await failure(store.lockStage(KEY))).toBeInstanceOf(StoreError)
  })
})

describe('a checkpoint', () => {
  const tensors = new Map([['weights', { dtype: 'F32' as const, shape: [2], data: Float32Array.of(1, 2) }]])

  test('says how far it is without being read in full, and is gone once removed', async () => {
    const checkpoint = checkpointOf(home, KEY, { everyMs: 0 })
    expect(await checkpointPosition(home, KEY)).toBeNull()
    await checkpoint.save({ tensors, metadata: { own: 'x' }, position: 2.5 })
    expect(await checkpointPosition(home, KEY)).toBe(2.5)
    expect((await checkpoint.load())?.tensors).toEqual(tensors)
    await checkpoint.remove()
    expect(await checkpointPosition(home, KEY)).toBeNull()
  })

  test('that another version wrote, or that is damaged, counts as none', async () => {
    const checkpoint = checkpointOf(home, KEY)
    await checkpoint.save({ tensors, metadata: {}, position: 1 })
    const path = checkpointPath(home, KEY)
    const bytes = await readFile(path)
    const at = bytes.indexOf('"palimpsest":"') + '"palimpsest":"'.length
    bytes[at]! ^= 1
    await writeFile(path, bytes)
    expect([await checkpoint.load(), await checkpointPosition(home, KEY)]).toEqual([null, null])
    await writeFile(path, 'short')
    expect([await checkpoint.load(), await checkpointPosition(home, KEY)]).toEqual([null, null])
  })
})

describe('what stages make once', () => {
  let calls: number
  const once = (identity: Record<string, unknown> = { a: 1 }, bytes = abc) =>
    makeOnce(store, identity, async () => {
      calls++
      return bytes
    })
  beforeEach(() => {
    calls = 0
  })

  test('is made for each identity, in whatever order its parts are written', async () => {
    const { ref, bytes, reused } = await once({ a: 1, b: { c: 2, d: 3 } })
    expect({ ref, bytes, reused }).toEqual({ ref: { sha256: ABC, bytes: 3 }, bytes: abc, reused: false })
    const again = await once({ b: { d: 3, c: 2 }, a: 1 }, Uint8Array.of(9))
    expect(again).toMatchObject({ ref, reused: true })
    expect(Buffer.from(again.bytes).toString()).toBe('abc')
    expect(calls).toBe(1)
    expect(Buffer.from((await once({ a: 1, b: { c: 2, d: 4 } }, Uint8Array.of(9))).bytes)).toEqual(Buffer.of(9))
    expect(calls).toBe(2)
  })

  test('is made anew where its object is cut off or missing, or its name cannot be read', async () => {
    await once()
    const [name] = await readdir(join(home, 'once'))
    const harms = [
      () => writeFile(objectPath(), 'ab'),
      () => rm(objectPath()),
      () => writeFile(join(home, 'once', name!), '{"sha256":"ba78'),
    ]
    for (const [index, harm] of harms.entries()) {
      await harm()
      expect(await once()).toMatchObject({ reused: false })
      expect(calls).toBe(index + 2)
      expect(await once()).toMatchObject({ reused: true })
    }
  })

  test('is made once by many at the same time, and by the next one where the first fails', async () => {
    const failed = makeOnce(store, { a: 1 }, () => Promise.reject(new Error('no memory')))
    expect((await failure(failed)).message).toBe('no memory')
    const all = await Promise.all([once(), once(), once()])
    expect(calls).toBe(1)
    expect(all.filter(({ reused }) => reused)).toHaveLength(2)
    expect(await readdir(join(home, 'locks'))).toEqual([])
  })
})
