/** Writes index.ts in every folder of members: one export a file, named after the file. */
import { readdirSync, writeFileSync } from 'node:fs'

const camel = (id: string) => id.replace(/[-.]+(.)/g, (_, letter: string) => letter.toUpperCase())

for (const folder of ['runner/methods', 'runner/metrics', 'runner/datasets', 'runner/nn/models', 'worker/routes']) {
  const ids = readdirSync(folder)
    .filter((name) => /\.tsx?$/.test(name) && name !== 'index.ts')
    .sort()
  const lines = ids.map((name) => {
    const id = name.replace(/\.tsx?$/, '')
    const exported = camel(id)
    return `export { ${exported === id ? id : `${exported} as '${id}'`} } from './${name}'`
  })
  writeFileSync(`${folder}/index.ts`, `${lines.join('\n') || 'export {}'}\n`)
}

const benchmarks = readdirSync('schema/benchmarks').filter((name) => name.endsWith('.ts') && name !== 'index.ts')
const lines = benchmarks.sort().map((name) => `export { default as '${name.slice(0, -3)}' } from './${name}'`)
writeFileSync('schema/benchmarks/index.ts', `${lines.join('\n')}\n`)
