/** Fills worker/public, what the Worker serves as files: its own, the scripts of pages, and copies out of npm packages. wrangler
 *  runs it. */
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')
const target = join(root, 'worker/public')
const copies = {
  'node_modules/@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2':
    'fonts/source-sans-3.woff2',
  'node_modules/@fontsource-variable/source-sans-3/LICENSE': 'fonts/LICENSE.txt',
  'node_modules/swagger-ui-dist/swagger-ui-bundle.js': 'swagger/swagger-ui-bundle.js',
  'node_modules/swagger-ui-dist/swagger-ui.css': 'swagger/swagger-ui.css',
  'node_modules/swagger-ui-dist/LICENSE': 'swagger/LICENSE.txt',
  'worker/static': '',
}

/** Compiled before anything is removed, so that files are missing for a moment only. */
const scripts = await build({
  root,
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  build: {
    write: false,
    modulePreload: false,
    rolldownOptions: {
      input: globSync(join(root, 'worker/browser/*.ts')),
      output: { entryFileNames: '[name].js' },
    },
  },
})

rmSync(target, { recursive: true, force: true })
for (const [from, to] of Object.entries(copies)) {
  mkdirSync(join(target, to, '..'), { recursive: true })
  cpSync(join(root, from), join(target, to), { recursive: true })
}
for (const script of [scripts].flat().flatMap((built) => ('output' in built ? built.output : []))) {
  writeFileSync(join(target, script.fileName), script.type === 'chunk' ? script.code : script.source)
}
