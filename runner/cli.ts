#!/usr/bin/env -S node --experimental-strip-types --disable-warning=ExperimentalWarning
/** The `palimpsest` command: arguments in, exit code out. 0 ok, 1 failed, 2 wrong input, 130 interrupted. palimpsest.js
 *  starts it, and says so where Node is too old. */
import { main, onOutputError } from './commands/main.ts'

process.stdout.on('error', onOutputError)
// Words for people that nobody can read are no reason to stop the work.
process.stderr.on('error', () => {})
process.exitCode = await main(process.argv)
