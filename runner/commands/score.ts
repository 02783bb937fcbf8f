/** `palimpsest score`: metrics of an evidence file, computed anew. */
import { readFile } from 'node:fs/promises'
import { openMetricTools } from '../engine/metric-tools.ts'
import { SafetensorsError } from '../formats/safetensors.ts'
import { lookUp } from '../pipeline/catalogue.ts'
import { scienceTask } from '../pipeline/tasks.ts'
import { scoreEvidence } from '../science/score.ts'
import { EVIDENCE, type ScienceTask } from '../science/task.ts'
import { reasonOf } from '../store/write.ts'
import { print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { fixed } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { collect } from './parts/arguments.ts'
import { type Command, help } from './parts/command.ts'

export const score: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('score')
      .description('compute metrics from an evidence file, with no training and no server')
      .argument('<evidence>', 'an evidence.safetensors, as evaluations leave it')
      .option('--metric <identity>', 'such as mia/svc-confidence@1 (repeatable; default: all)', collect)
      .option('--json', 'as JSON')
      .addHelpText(
        'after',
        help(['palimpsest score evidence.safetensors', 'palimpsest score evidence.safetensors --metric ua/accuracy@1']),
      )
      .action(async (path: string, options: { metric?: string[]; json?: boolean }) => {
        const science = scienceTask('classification')
        const known = new Map(Object.values(science.metrics).map((metric) => [metric.named, metric]))
        for (const identity of options.metric ?? []) lookUp('metric', known, identity)
        const identities = options.metric ?? [...known.keys()]
        const evidence = evidenceIn(path, await bytesOf(path), science)
        const tools = openMetricTools()
        const { values } = await scoreEvidence(science, evidence, identities, tools).finally(tools.release)
        if (options.json) printJson(values)
        else {
          const rows = Object.values(values).map(({ identity, value }) => [identity, fixed(value, 4)])
          for (const line of table([{ title: 'Metric' }, { title: 'Value', align: 'right' }], rows)) print(line)
        }
      }),
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
}

function evidenceIn(path: string, bytes: Uint8Array, science: ScienceTask): unknown {
  try {
    return science.decode(new Map([[EVIDENCE, bytes]]))
  } catch (error) {
    if (error instanceof SafetensorsError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}
