/** Writes index.ts in every folder of members: one export a file, named after the file; main.ts is none, since it reads them all.
 *  With --check it writes nothing and fails when one is out of date. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const camel = (id: string) => id.replace(/[-.]+(.)/g, (_, letter: string) => letter.toUpperCase())
/** A member is exported under its id. */
const asId = (id: string) => (camel(id) === id ? id : `${camel(id)} as '${id}'`)

/** Folders whose members are folders, and the file in each that exports it. */
const nested: Record<string, string> = {
  'runner/science/tasks': 'task.ts',
  'runner/tasks': 'task.ts',
  'worker/tasks': 'view.tsx',
}
const membersOf = (folder: string) =>
  readdirSync(folder)
    .filter((id) => existsSync(`${folder}/${id}/${nested[folder]}`))
    .sort()

const folders: Record<string, (id: string) => string> = {
  'runner/commands': camel,
  'runner/data/datasets': asId,
  'runner/engine/nn/denoisers': asId,
  'runner/engine/nn/models': asId,
  'runner/science/methods': asId,
  ...Object.fromEntries(membersOf('runner/science/tasks').map((id) => [`runner/science/tasks/${id}/metrics`, asId])),
  'runner/science/tasks/classification/populations': asId,
  'schema/benchmarks': asId,
  'schema/suites': asId,
  'schema/tasks': asId,
  'worker/routes/api': (id) => camel(`api-${id}`),
  'worker/routes/pages': (id) => camel(`${id}-page`),
}

const stale: string[] = []
function write(folder: string, lines: string[]): void {
  const path = `${folder}/index.ts`
  const content = `${lines.join('\n') || 'export {}'}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return
  if (process.argv.includes('--check')) stale.push(path)
  else writeFileSync(path, content)
}
for (const [folder, file] of Object.entries(nested)) {
  write(
    folder,
    membersOf(folder).map((id) => `export { ${asId(id)} } from './${id}/${file}'`),
  )
}
for (const [folder, exported] of Object.entries(folders)) {
  const names = readdirSync(folder).filter((name) => /\.tsx?$/.test(name) && !['index.ts', 'main.ts'].includes(name))
  write(
    folder,
    names.sort().map((name) => `export { ${exported(name.replace(/\.tsx?$/, ''))} } from './${name}'`),
  )
}
if (stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}; run npm run barrels`)
  process.exitCode = 1
}
