#!/usr/bin/env -S node --experimental-strip-types --disable-warning=ExperimentalWarning
/** The `palimpsest` command: arguments in, exit code out. 0 ok, 1 failed, 2 wrong input, 130 interrupted. palimpsest.js
 *  starts it, and says so where Node is too old. */
import { main } from './commands/main.ts'

// A reader that has seen enough, such as `head`, closes the pipe: that's no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await main(process.argv)
