/** `palimpsest health`: whether the runner of a home is well, for monitors and containers. */

import { healthOf } from '../agent/pulse.ts'
import { homeOf } from '../store/home.ts'
import { print } from '../terminal/output.ts'
import { type Command, help, homeOption } from './parts/command.ts'

export const health: Command = {
  group: 'Servers and runners',
  add: (program) =>
    program
      .command('health')
      .description('say whether the runner of a home is well; ends with 1 when it is not')
      .option(...homeOption)
      .addHelpText('after', help(['palimpsest health', 'palimpsest health --home /var/lib/palimpsest']))
      .action(async (options: { home?: string }) => {
        const { healthy, words } = await healthOf(homeOf(options.home), Date.now())
        if (!healthy) throw new Error(words)
        print(words)
      }),
}
