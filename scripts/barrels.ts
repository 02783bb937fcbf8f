/** Writes index.ts in every folder of members: one export a file, named after the file. With --check it writes nothing and
 *  fails when one is out of date. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const folders = [
  'runner/methods',
  'runner/metrics',
  'runner/generation-metrics',
  'runner/datasets',
  'runner/nn/models',
  'runner/nn/denoisers',
  'schema/benchmarks',
  'schema/suites',
  'worker/routes',
]
const camel = (id: string) => id.replace(/[-.]+(.)/g, (_, letter: string) => letter.toUpperCase())

const stale: string[] = []
for (const folder of folders.filter(existsSync)) {
  const names = readdirSync(folder).filter((name) => /\.tsx?$/.test(name) && name !== 'index.ts')
  const lines = names.sort().map((name) => {
    const id = name.replace(/\.tsx?$/, '')
    return `export { ${camel(id) === id ? id : `${camel(id)} as '${id}'`} } from './${name}'`
  })
  const path = `${folder}/index.ts`
  const content = `${lines.join('\n') || 'export {}'}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) continue
  if (process.argv.includes('--check')) stale.push(path)
  else writeFileSync(path, content)
}
if (stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}; run npm run barrels`)
  process.exitCode = 1
}
