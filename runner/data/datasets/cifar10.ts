/** CIFAR-10 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf): 50,000 + 10,000 colour
 *  images of 32 x 32. Read from the official binary version: the archive, or the files that it holds. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { pictured } from '../../../schema/classes.ts'
import { DatasetError, defineDataset, type LoadOptions } from '../../science/dataset.ts'
import { sha256Of } from '../../store/digest.ts'
import { withDigest } from '../digest.ts'
import { BATCH_BYTES, cifarSplit, filesOfTar } from '../files/cifar.ts'
import { download } from '../files/download.ts'
import { cacheFile, placesOf, REPLACE, readIfPresent } from '../files/pinned.ts'

/** The official page lists the MD5 c32a1d4ab5d03f1284b67883e8d87530 for it; this is the SHA-256 of the same bytes. */
const archive = {
  name: 'cifar-10-binary.tar.gz',
  bytes: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  /** The official one, and copies that others keep of it. */
  urls: [
    'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
    'https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz',
    'https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz',
  ],
}

/** SHA-256 of the files in the archive, as published with torch-rb's torchvision; checked where a folder holds the files
 *  themselves. Files out of the archive are covered by the archive's own hash. */
const batches = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
}
type BatchName = keyof typeof batches
type Batches = Record<BatchName, Uint8Array>

const names = Object.keys(batches) as BatchName[]
const FOLDER = 'cifar-10-batches-bin'
/** Room for the six files and the archive's own headers. */
const MAX_TAR_BYTES = 7 * BATCH_BYTES

export const cifar10 = defineDataset({
  title: 'CIFAR-10',
  licence: 'None stated; its page asks for a citation',
  source: 'https://www.cs.toronto.edu/~kriz/cifar.html',
  normalization: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  async load(options) {
    const files = await loadBatches(options)
    return withDigest({
      channels: 3,
      height: 32,
      width: 32,
      classes: pictured.cifar10.classes,
      train: cifarSplit(names.filter((name) => name.startsWith('data')).map((name) => files[name])),
      test: cifarSplit([files['test_batch.bin']]),
    })
  },
})

async function loadBatches({ directories, cache, signal, onProgress }: LoadOptions): Promise<Batches> {
  const cached = join(cache, 'cifar10')
  const look = () => batchesIn(cached, 'delete it and run again to download it')
  const places = placesOf(directories, 'cifar10')
  for (const place of places) {
    signal?.throwIfAborted()
    const found = await batchesIn(place, REPLACE)
    if (found) return found
    await refuseOtherVersion(place)
  }
  const target = join(cached, archive.name)
  return (
    (await look()) ??
    download({
      urls: archive.urls,
      name: archive.name,
      ...(places.length > 0 && { sought: `${places.join(' or ')} (nor ${FOLDER})` }),
      target,
      maxBytes: archive.bytes,
      look,
      accept: (body) => unpack(body, archive.name, 'it may have been damaged on the way'),
      keep: (body) => cacheFile(target, body),
      signal,
      onProgress,
    })
  )
}

/** Of the files, or of the archive, in a folder; null when it has neither. */
async function batchesIn(place: string, remedy: string): Promise<Batches | null> {
  for (const folder of [place, join(place, FOLDER)]) {
    const files = await readBatches(folder)
    if (files) return files
  }
  const path = join(place, archive.name)
  const body = await readIfPresent(path)
  return body && unpack(body, path, remedy)
}

/** What the same page offers beside the binary version, and what is made of it. */
const OTHER_VERSIONS = [
  'cifar-10-batches-py',
  'cifar-10-python.tar.gz',
  'cifar-10-batches-mat',
  'cifar-10-matlab.tar.gz',
]

async function refuseOtherVersion(place: string): Promise<void> {
  const names = await readdir(place).catch(() => [])
  const other = names.find((name) => OTHER_VERSIONS.includes(name))
  if (other === undefined) return
  throw new DatasetError(
    `${join(place, other)}: expected the binary version of CIFAR-10, ${archive.name} or a folder ${FOLDER}, got another one; put the binary version beside it, or leave its folder out to download that`,
  )
}

/** The six files of a folder, or null when it has none of them. */
async function readBatches(folder: string): Promise<Batches | null> {
  const found: Partial<Batches> = {}
  for (const name of names) {
    const bytes = await readIfPresent(join(folder, name))
    if (bytes) found[name] = bytes
  }
  if (Object.keys(found).length === 0) return null
  for (const name of names) {
    const path = join(folder, name)
    const bytes = found[name]
    if (!bytes) throw new DatasetError(`${path}: not found beside the other files; ${REPLACE}`)
    expect(path, bytes, BATCH_BYTES, batches[name], REPLACE)
  }
  return found as Batches
}

/** The six files of the archive. */
async function unpack(body: Uint8Array, path: string, remedy: string): Promise<Batches> {
  expect(path, body, archive.bytes, archive.sha256, remedy)
  const tar = await promisify(gunzip)(body, { maxOutputLength: MAX_TAR_BYTES })
  const entries = filesOfTar(tar)
  const files = names.map((name) => {
    const data = entries.get(name)
    if (data?.length !== BATCH_BYTES) {
      throw new DatasetError(
        `${path}: expected ${name} of ${BATCH_BYTES} bytes in it, got ${data?.length ?? 'none'}; ${remedy}`,
      )
    }
    return [name, data] as const
  })
  return Object.fromEntries(files) as Batches
}

function expect(path: string, bytes: Uint8Array, size: number, sha256: string, remedy: string): void {
  if (bytes.length !== size) throw new DatasetError(`${path}: expected ${size} bytes, got ${bytes.length}; ${remedy}`)
  const actual = sha256Of(bytes)
  if (actual !== sha256) throw new DatasetError(`${path}: expected the SHA-256 ${sha256}, got ${actual}; ${remedy}`)
}
