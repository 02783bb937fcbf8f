#!/usr/bin/env node
/** The command as npm installs it. Plain JavaScript, so that a Node too old for cli.ts gets as far as the message. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  console.error(
    `palimpsest needs Node 22.12 or newer, but this is ${process.version}. Install a newer Node (https://nodejs.org); on Linux x64, npm ci brings one along: start with npm start or npx palimpsest.`,
  )
  process.exit(2)
}
if (process.features.typescript) await import('./cli.ts')
else {
  // Before 22.18, Node strips types only when asked to.
  const words = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
  const cli = fileURLToPath(new URL('./cli.ts', import.meta.url))
  const { status } = spawnSync(process.execPath, [...words, cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
