/** The options of commands that compute on this machine, as `openLocal` takes them. */
import type { Command } from 'commander'
import { collect, wholeNumber } from './arguments.ts'
import { dataOption, homeOption, threadsOption } from './command.ts'
import { deviceOption, precisionOption } from './device-choice.ts'

/** Adds them behind its own. */
export const withLocalOptions = (command: Command): Command =>
  command
    .option('--server <url>', 'the server of a benchmark of its own, such as own.pets (PALIMPSEST_SERVER)')
    .option(...dataOption, collect)
    .option(...homeOption)
    .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
    .addOption(deviceOption())
    .addOption(precisionOption())
