/** `palimpsest score`: metrics of an evidence file, computed anew. */
import { readFile } from 'node:fs/promises'
import { openMetricTools } from '../engine/metric-tools.ts'
import { SafetensorsError } from '../formats/safetensors.ts'
import { lookUp } from '../pipeline/catalogue.ts'
import { scienceTasks } from '../science/catalogue/catalogue.ts'
import { offeredOn, scoreEvidence } from '../science/score.ts'
import { EVIDENCE, type ScienceTask } from '../science/task.ts'
import { reasonOf } from '../store/write.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { fixed } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { collect } from './parts/arguments.ts'
import { type Command, help } from './parts/command.ts'

interface Options {
  reference?: string
  metric?: string[]
  json?: boolean
}

export const score: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('score')
      .description('compute metrics from an evidence file of any task, with no training and no server')
      .argument('<evidence>', 'an evidence.safetensors, as evaluations leave it')
      .option('--reference <file>', 'the file beside it, for evidence of generated images: reference.safetensors')
      .option('--metric <identity>', 'such as mia/svc-confidence@1 (repeatable; default: all)', collect)
      .option('--json', 'as JSON')
      .addHelpText(
        'after',
        help([
          'palimpsest score evidence.safetensors',
          'palimpsest score evidence.safetensors --metric ua/accuracy@1',
          'palimpsest score evidence.safetensors --reference reference.safetensors',
        ]),
      )
      .action(execute),
}

async function execute(path: string, { reference, metric, json }: Options): Promise<void> {
  const [bytes, beside] = await Promise.all([bytesOf(path), reference === undefined ? null : bytesOf(reference)])
  const { science, evidence } = recognised(path, bytes, beside)
  const known = new Map(offeredOn(science, evidence).map((each) => [each.identity.split(';')[0]!, each]))
  for (const identity of metric ?? []) lookUp('metric of such evidence', known, identity)
  const tools = openMetricTools()
  const asked = metric ?? [...known.keys()]
  const { values, warnings } = await scoreEvidence(science, evidence, asked, tools).finally(tools.release)
  if (json) printJson(values)
  else {
    const rows = Object.values(values).map(({ identity, value }) => [identity, fixed(value, 4)])
    for (const line of table([{ title: 'Metric' }, { title: 'Value', align: 'right' }], rows)) print(line)
  }
  for (const [id, warning] of Object.entries(warnings)) note(`${id}: ${warning}`)
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`)
  }
}

/** Of whatever task can read it; the file beside it stands for all that the task asks for besides. */
function recognised(
  path: string,
  bytes: Uint8Array,
  beside: Uint8Array | null,
): { science: ScienceTask; evidence: unknown } {
  const refusals: string[] = []
  for (const [id, science] of scienceTasks) {
    const others = science.files.filter((name) => name !== EVIDENCE)
    if (others.length > 0 && !beside) {
      refusals.push(`${id}: needs ${others.join(', ')} too: give it with --reference FILE`)
      continue
    }
    const files = new Map([[EVIDENCE, bytes], ...others.map((name) => [name, beside!] as const)])
    try {
      return { science, evidence: science.decode(files) }
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error
      refusals.push(`${id}: ${error.message}`)
    }
  }
  throw new UsageError(
    [`${path}: expected the evidence of a task, got none that can be read:`, ...refusals].join('\n  '),
  )
}
