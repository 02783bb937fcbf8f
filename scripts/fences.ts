/** Holds the order of imports: what each folder may import, and nothing else, is listed in scripts/fences.json, from the lowest
 *  folder up. Fails for an import that is not on the list of its folder, for a file without a folder, for a list that nothing needs, and
 *  where the lists themselves run in a circle. TypeScript 7 has no API that dependency-cruiser could parse with, so imports are read here.
 *  The argument is the root of the repository. */
import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'

/** By folder; a file belongs to the longest that contains it. `node` stands for Node's own modules. */
interface Fence {
  folders?: string[]
  packages?: string[]
  /** The only files of a folder that stands for more than its members. */
  entries?: string[]
}

const root = process.argv[2] ?? '.'
const fences = JSON.parse(readFileSync(join(root, 'scripts/fences.json'), 'utf8')) as Record<string, Fence>
const folders = Object.keys(fences).sort((a, b) => b.length - a.length)
const isParent = (folder: string) => folders.some((other) => other.startsWith(`${folder}/`))
/** One with listed folders inside it holds only what lies in it directly: what lies deeper needs a list of its own. */
const folderOf = (file: string) =>
  folders.find((folder) => dirname(file) === folder || (file.startsWith(`${folder}/`) && !isParent(folder)))
const tops = [...new Set(folders.map((folder) => folder.split('/')[0]!))]
/** Where the top folder has no lists yet, each folder stands for itself. */
const importedFolder = (file: string) =>
  folderOf(file) ?? (tops.includes(file.split('/')[0]!) ? undefined : dirname(file))
const packageOf = (name: string) =>
  name.startsWith('node:') || builtinModules.includes(name)
    ? 'node'
    : name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/')

const faults: string[] = []
const used = new Set<string>()
const files = globSync(
  tops.map((top) => `${top}/**/*.{ts,tsx}`),
  { cwd: root, exclude: ['**/*.d.ts', 'worker/public/**'] },
)
for (const file of files.sort()) {
  const folder = folderOf(file)
  const fence = folder && fences[folder]
  if (!fence) {
    faults.push(`${file} lies in no folder of scripts/fences.json; move it into one, or give its folder a list`)
    continue
  }
  if (fence.entries && !fence.entries.includes(file.slice(folder.length + 1))) {
    faults.push(`${file}: ${folder}/ holds ${fence.entries.join(', ')} only; move it into a folder`)
  }
  // The first group takes `import type X from` and `export * from`, the second `import('x')` and `import 'x'`.
  for (const [, from, called] of readFileSync(join(root, file), 'utf8').matchAll(
    /^(?:import|export|\})[^'"`\n]*\bfrom '([^']+)'|(?:^import |\bimport\()'([^']+)'/gm,
  )) {
    const name = (from ?? called)!
    if (name.startsWith('.')) {
      const target = importedFolder(normalize(join(dirname(file), name)))
      if (target === folder) continue
      used.add(`${folder} ${target}`)
      if (target && fence.folders?.includes(target)) continue
      faults.push(`${file} imports ${name}; ${folder}/ may import ${list(fence.folders)}`)
    } else {
      used.add(`${folder} ${packageOf(name)}`)
      if (fence.packages?.includes(packageOf(name))) continue
      faults.push(`${file} imports ${name}; of packages, ${folder}/ may import ${list(fence.packages)}`)
    }
  }
}
for (const [folder, { folders = [], packages = [] }] of Object.entries(fences)) {
  for (const name of [...folders, ...packages]) {
    if (!used.has(`${folder} ${name}`)) faults.push(`${folder}/ imports nothing of ${name}; take it off its list`)
  }
}
const circle = circleFrom(Object.keys(fences))
if (circle) faults.push(`folders in a circle: ${circle.join(' -> ')}`)
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exitCode = 1
}

function list(names: string[] = []): string {
  return names.length > 0 ? names.join(', ') : 'nothing'
}

/** Some circle of allowed imports, if there is one. */
function circleFrom(all: string[]): string[] | null {
  const done = new Set<string>()
  const visit = (folder: string, path: string[]): string[] | null => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder]
    if (done.has(folder)) return null
    for (const next of fences[folder]?.folders ?? []) {
      const found = visit(next, [...path, folder])
      if (found) return found
    }
    done.add(folder)
    return null
  }
  for (const folder of all) {
    const found = visit(folder, [])
    if (found) return found
  }
  return null
}
