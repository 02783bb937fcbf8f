/** Fills worker/public, what the Worker serves as files: its own and copies out of npm packages. wrangler runs it. */
import { cpSync, mkdirSync, rmSync } from 'node:fs'

const root = `${import.meta.dirname}/..`
const target = `${root}/worker/public`
const copies = {
  'node_modules/@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2':
    'fonts/source-sans-3.woff2',
  'node_modules/@fontsource-variable/source-sans-3/LICENSE': 'fonts/LICENSE.txt',
  'node_modules/swagger-ui-dist/swagger-ui-bundle.js': 'swagger/swagger-ui-bundle.js',
  'node_modules/swagger-ui-dist/swagger-ui.css': 'swagger/swagger-ui.css',
  'node_modules/swagger-ui-dist/LICENSE': 'swagger/LICENSE.txt',
  'worker/static': '',
}
rmSync(target, { recursive: true, force: true })
for (const [from, to] of Object.entries(copies)) {
  mkdirSync(`${target}/${to}`.replace(/[^/]*$/, ''), { recursive: true })
  cpSync(`${root}/${from}`, `${target}/${to}`, { recursive: true })
}
