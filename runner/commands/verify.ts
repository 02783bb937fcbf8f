/** `palimpsest verify`: checks a run against what its runners signed. */
import { apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { type CheckedStage, verifyStage } from '../agent/verify.ts'
import { note, print, printJson, styledData } from '../terminal/output.ts'
import { stageLabel } from '../terminal/stages.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help, serverOf, serverOption } from './parts/command.ts'

interface Options {
  server?: string
  key?: string
  json?: boolean
}

export const verify: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('verify')
      .description('check a run against the manifests that its runners signed: specs, results, logs, artifacts')
      .argument('<run>', 'its id, as its page shows it')
      .option(...serverOption)
      .option('--key <fingerprint>', 'believe only the runner with this key, which its owner told you')
      .option('--json', 'the checks as JSON')
      .addHelpText(
        'after',
        help(
          ['palimpsest verify RUN --server https://palimpsest.example'],
          'Downloads logs and artifacts to hash them; nothing is kept. Ends with 1 when anything differs.',
        ),
      )
      .action(execute),
}

async function execute(id: string, options: Options): Promise<void> {
  const client = createClient({ server: serverOf(options.server) })
  const run = await apiOf(client).run(id)
  const done = run.stages.filter(({ state }) => state === 'done')
  if (done.length === 0) throw new UsageError(`no stage of run ${id} has finished yet: there is nothing to verify`)
  const checked: CheckedStage[] = []
  for (const stage of done) {
    if (!options.json) print(`${stageLabel(stage.spec)}  ${styledData('dim', stage.key)}`)
    const found = await verifyStage(client, stage, options.key)
    checked.push(found)
    if (options.json) continue
    if (found.runner) print(`  by ${found.runner.name} (${found.runner.id}), key ${found.runner.fingerprint}`)
    for (const { runner, position, sha256 } of found.began) {
      print(`  went on from the checkpoint ${sha256.slice(0, 12)} of ${runner ?? 'an unknown runner'} at ${position}`)
    }
    for (const { part, problem } of found.checks) {
      print(
        problem === null ? `  ${styledData('green', '✓')} ${part}` : `  ${styledData('red', '✗')} ${part}: ${problem}`,
      )
    }
  }
  if (options.json) printJson(checked)
  const bad = checked.flatMap(({ checks }) => checks.filter(({ problem }) => problem !== null))
  if (bad.length > 0) throw new Error(`not what was signed: ${bad.map(({ part }) => part).join(', ')}`)
  const open = run.stages.length - done.length
  note(
    `All that is there is what was signed${open > 0 ? `; ${open} of ${run.stages.length} stages have not finished` : ''}.`,
  )
}
