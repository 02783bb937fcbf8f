/** Writes index.ts in every folder of members: one export a file, named after the file; main.ts is none, since it reads them all. With --check it writes nothing and
 *  fails when one is out of date. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const camel = (id: string) => id.replace(/[-.]+(.)/g, (_, letter: string) => letter.toUpperCase())
/** A member is exported under its id. */
const asId = (id: string) => (camel(id) === id ? id : `${camel(id)} as '${id}'`)

const folders: Record<string, (id: string) => string> = {
  'runner/commands': camel,
  'runner/data/datasets': asId,
  'runner/engine/nn/denoisers': asId,
  'runner/engine/nn/models': asId,
  'runner/science/methods': asId,
  'runner/science/tasks/classification/metrics': asId,
  'runner/science/tasks/generation/metrics': asId,
  'schema/benchmarks': asId,
  'schema/suites': asId,
  'schema/tasks': asId,
  'worker/routes/api': (id) => camel(`api-${id}`),
  'worker/tasks': asId,
  'worker/routes/pages': (id) => camel(`${id}-page`),
}

/** Folders whose members are folders: what each exports stands in its task.ts. */
const nested = ['runner/science/tasks', 'runner/tasks']

const stale: string[] = []
const written = (path: string, lines: string[]) => {
  const content = `${lines.join('\n') || 'export {}'}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return
  if (process.argv.includes('--check')) stale.push(path)
  else writeFileSync(path, content)
}
for (const folder of nested) {
  const names = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/task.ts`))
  written(
    `${folder}/index.ts`,
    names.sort().map((id) => `export { ${asId(id)} } from './${id}/task.ts'`),
  )
}
for (const [folder, exported] of Object.entries(folders)) {
  const names = readdirSync(folder).filter((name) => /\.tsx?$/.test(name) && !['index.ts', 'main.ts'].includes(name))
  const lines = names.sort().map((name) => `export { ${exported(name.replace(/\.tsx?$/, ''))} } from './${name}'`)
  written(`${folder}/index.ts`, lines)
}
if (stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}; run npm run barrels`)
  process.exitCode = 1
}
