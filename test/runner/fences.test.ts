import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

interface Tree {
  /** By path; what each imports from its own folder's point of view. */
  files: Record<string, string>
  fences: Record<string, { folders?: string[]; packages?: string[]; entries?: string[] }>
}

/** Two rooms one above the other, and an entry; nothing is wrong with it. */
const sound: Tree = {
  files: {
    'app/index.ts': "import { high } from './high/high.ts'",
    'app/high/high.ts': "import { low } from '../low/low.ts'\nimport type { z } from 'zod'",
    'app/low/low.ts': "import { join } from 'node:path'",
  },
  fences: {
    'app/low': { packages: ['node'] },
    'app/high': { folders: ['app/low'], packages: ['zod'] },
    app: { entries: ['index.ts'], folders: ['app/high'] },
  },
}

/** What the script finds in a tree: its exit code and the lines that it writes. */
function check({ files, fences }: Tree) {
  const root = mkdtempSync(join(tmpdir(), 'fences-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const all = { ...files, 'scripts/fences.json': JSON.stringify(fences) }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  return run(root)
}

function run(root: string) {
  const script = join(import.meta.dirname, '../../scripts/fences.ts')
  const args = ['--experimental-strip-types', script, root]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { NODE_NO_WARNINGS: '1' } })
  return { status, faults: stderr.split('\n').filter(Boolean) }
}

const withFiles = (files: Tree['files']): Tree => ({ ...sound, files: { ...sound.files, ...files } })
const withFences = (fences: Tree['fences']): Tree => ({ ...sound, fences: { ...sound.fences, ...fences } })

test('a tree that keeps its lists has no faults', () => {
  expect(check(sound)).toEqual({ status: 0, faults: [] })
})

test.each<[string, Tree, string[]]>([
  [
    'an import of a folder that is not on the list',
    withFiles({ 'app/low/up.ts': "export type { High } from '../high/high.ts'" }),
    ['app/low/up.ts imports ../high/high.ts; app/low/ may import nothing'],
  ],
  [
    'one over several lines',
    withFiles({ 'app/low/up.ts': "import {\n  high,\n} from '../high/high.ts'" }),
    ['app/low/up.ts imports ../high/high.ts; app/low/ may import nothing'],
  ],
  [
    'one at run time',
    withFiles({ 'app/low/up.ts': "const { high } = await import('../high/high.ts')" }),
    ['app/low/up.ts imports ../high/high.ts; app/low/ may import nothing'],
  ],
  [
    'a package that is not on the list',
    withFiles({ 'app/low/parse.ts': "import { z } from 'zod/mini'" }),
    ['app/low/parse.ts imports zod/mini; of packages, app/low/ may import node'],
  ],
  [
    'a module of Node that is not on the list',
    withFiles({ 'app/high/read.ts': "import { readFileSync } from 'fs'" }),
    ['app/high/read.ts imports fs; of packages, app/high/ may import zod'],
  ],
  [
    'a file beside the entries',
    withFiles({ 'app/stray.ts': '' }),
    ['app/stray.ts: app/ holds index.ts only; move it into a folder'],
  ],
  [
    'a folder without a list',
    withFiles({ 'app/new/room.ts': '' }),
    ['app/new/room.ts lies in no folder of scripts/fences.json; move it into one, or give its folder a list'],
  ],
  [
    'an import of a folder without a list, which no list can allow',
    withFiles({ 'app/new/room.ts': '', 'app/low/up.ts': "import '../new/room.ts'" }),
    [
      'app/low/up.ts imports ../new/room.ts; app/low/ may import nothing',
      'app/new/room.ts lies in no folder of scripts/fences.json; move it into one, or give its folder a list',
    ],
  ],
  [
    'lists in a circle, before anything is imported the other way',
    withFences({ 'app/low': { folders: ['app/high'], packages: ['node'] } }),
    [
      'app/low/ imports nothing of app/high; take it off its list',
      'folders in a circle: app/low -> app/high -> app/low',
    ],
  ],
  [
    'a circle of imports that lists allow',
    {
      files: { ...sound.files, 'app/low/up.ts': "import type { High } from '../high/high.ts'" },
      fences: { ...sound.fences, 'app/low': { folders: ['app/high'], packages: ['node'] } },
    },
    ['folders in a circle: app/low -> app/high -> app/low'],
  ],
  [
    'an allowance that nothing uses',
    withFences({ 'app/high': { folders: ['app/low'], packages: ['hono', 'zod'] } }),
    ['app/high/ imports nothing of hono; take it off its list'],
  ],
])('%s is a fault, named with its file and rule', (_, tree, faults) => {
  expect(check(tree)).toEqual({ status: 1, faults })
})

test('imports of a top folder without lists are held all the same, folder by folder', () => {
  const files = { ...sound.files, 'app/low/read.ts': "import { read } from '../../lib/read/read.ts'" }
  const refused = ['app/low/read.ts imports ../../lib/read/read.ts; app/low/ may import nothing']
  expect(check({ ...sound, files })).toEqual({ status: 1, faults: refused })
  const fences = { ...sound.fences, 'app/low': { folders: ['lib/read'], packages: ['node'] } }
  expect(check({ files, fences })).toEqual({ status: 0, faults: [] })
})

test('a folder none of whose folders has a list of its own holds them all', () => {
  const files = { ...sound.files, 'app/low/deep/deeper.ts': "import { join } from 'node:path'" }
  expect(check({ ...sound, files })).toEqual({ status: 0, faults: [] })
})

/** Packages that a file and all that it imports ask for when they run; types are gone by then. */
function packagesOf(entry: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>()
  if (seen.has(entry) || !/\.tsx?$/.test(entry)) return found
  seen.add(entry)
  const imports = readFileSync(entry, 'utf8').matchAll(
    /^(?:import|export)\s(?!type\s)(?:[\w*{][^'"=]*?\sfrom\s)?['"]([^'"]+)['"]/gm,
  )
  for (const [, name] of imports) {
    const more = name!.startsWith('.') ? packagesOf(join(dirname(entry), name!), seen) : [name!]
    for (const each of more) found.add(each)
  }
  return found
}

test('what the worker is made of imports nothing of Node and no onnxruntime', () => {
  const root = join(import.meta.dirname, '../..')
  const packages = [...packagesOf(join(root, 'worker/index.ts'))]
  expect(packages).toContain('@hono/zod-openapi')
  expect(packages.filter((name) => /^node:|onnx/.test(name))).toEqual([])
  // The walk sees them where they are.
  expect([...packagesOf(join(root, 'runner/engine/nn/initial-state.ts'))]).toContain('node:crypto')
})

test('this repository keeps its lists', () => {
  expect(run(join(import.meta.dirname, '../..'))).toEqual({ status: 0, faults: [] })
})

test('a runner installed without development dependencies, as its image is, lacks no package that it imports', () => {
  const root = join(import.meta.dirname, '../..')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const imported = globSync(['runner/**/*.{ts,js}', 'schema/**/*.ts'], { cwd: root }).flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8').replace(/^import type .*$/gm, '')
    const names = text.matchAll(/(?:from |import\()'((?:@[\w-]+\/)?[\w.-]+)(?:\/[^']*)?'/g)
    return Array.from(names, ([, name]) => ({ path, name: name! })).filter(({ name }) => !/^(\.|node$)/.test(name))
  })
  expect(imported.map(({ name }) => name)).toContain('ipaddr.js')
  // Tables of the database are the server's, which is not in the image.
  const lacking = imported.filter(({ path, name }) => !(name in dependencies) && !path.startsWith('schema/tables/'))
  expect(lacking).toEqual([])
})
