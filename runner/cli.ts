#!/usr/bin/env -S node --experimental-strip-types --disable-warning=ExperimentalWarning
/** The `palimpsest` command: arguments in, exit code out. 0 ok, 1 failed, 2 wrong input, 130 interrupted. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `palimpsest needs Node 22.12 or newer; this is ${process.version}. Install a newer one, or start it with \`npm start\` or \`npx palimpsest\`.\n`,
  )
  process.exit(2)
}
// A reader that has seen enough, such as `head`, closes the pipe: that's no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
// Imported afterwards, so that an old Node gets to the message above.
const { main } = await import('./main.ts')
process.exitCode = await main(process.argv)
