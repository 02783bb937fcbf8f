/** `palimpsest score`: metrics of evidence, whoever saved it, and FID of pictures or published statistics. */
import { writeFile } from 'node:fs/promises'
import { openMetricTools } from '../engine/metric-tools.ts'
import { fidBetween, inceptionOf } from '../pipeline/fid.ts'
import { type NamedFile, openNamed } from '../pipeline/files-of-arrays.ts'
import {
  compareWith,
  metricsWanted,
  ofOneModel,
  type Recognised,
  recognise,
  scoreRecognised,
} from '../pipeline/score-file.ts'
import { readPositions, withImages } from '../pipeline/split-file.ts'
import { metricOf } from '../science/catalogue/catalogue.ts'
import { MetricError, type MetricTools } from '../science/metric.ts'
import { checkPlaces, dataPlaces, homeOf } from '../store/home.ts'
import { reasonOf } from '../store/write.ts'
import { note } from '../terminal/output.ts'
import { checkWritable } from '../terminal/report.ts'
import { printScored, type ScoredFile } from '../terminal/scored.ts'
import { csvLine } from '../words/csv.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { collect, wholeNumber } from './parts/arguments.ts'
import { type Command, dataOption, help, homeOption } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options extends FormatOptions {
  reference?: string
  retrain?: string
  metric?: string[]
  forgottenClass?: number
  perExample?: string
  split?: string
  data?: string[]
  home?: string
}

/** What a file must hold; the page /docs says the same. */
const FORMAT = `A file is safetensors, or an .npz of numpy.savez. Of a classifier, for each set:
  forget.logits [n, classes]  forget.labels [n]     D_f, in dataset order; logits before any softmax
  retain.logits, retain.labels, test.logits, test.labels
  forgottenClass              where a class was to be forgotten: metadata, or a number given to savez
  forgottenClasses [k]        the same of several classes; as metadata such as 1,3
Of generated images:
  labels [n], features [n, d], judge.logits [n, classes], scores [n, classes of the extractor]
  extractor.id, judge.testAccuracy, forgottenClass  as metadata, or given to savez
  and in the file of --reference: features [m, d], labels [m] of real images, and extractor.id
Logits, features and scores are float16, bfloat16, float32 or float64, and are taken in float32; labels are whole numbers. In place
of a dot a name may have an underscore, as in savez("e.npz", forget_logits=...). What is missing is left out, with its metrics.
FID alone: between any two of generated images, real features, statistics as pytorch-fid writes them (an .npz of mu and sigma), and
folders of pictures, which Inception-v3 looks at here.`

export const score: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('score')
      .description('compute metrics from evidence of any task, whoever saved it, with no training and no server')
      .argument('<evidence>', 'safetensors or .npz; for FID also statistics (.npz) or a folder of pictures')
      .option(
        '--reference <file>',
        'of generated images: features of real ones, statistics (.npz) or a folder of pictures',
      )
      .option(
        '--retrain <evidence>',
        'evidence of a model retrained without the forgotten data: adds gaps, Avg. Gap and metrics of two models, such as ToW',
      )
      .option('--metric <identity>', 'such as mia/svc-confidence@1 (repeatable; default: all)', collect)
      .option(
        '--forgotten-class <n>',
        'the class to be forgotten, where the file does not say',
        wholeNumber('forgotten-class', { min: 0, max: 255 }),
      )
      .option(
        '--per-example <file>',
        'write a CSV with a row an example: answer, confidence, entropy, m-entropy, loss, margin, and what MIA takes it for',
      )
      .option(
        '--split <file>',
        'the split.safetensors beside the evidence: --per-example then names the image of each row',
      )
      .option(...dataOption, collect)
      .option(...homeOption)
      .addOption(formatOption())
      .option('--json', 'short for --format json')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest score evidence.safetensors --retrain retrain.safetensors',
            'palimpsest score logits.npz --forgotten-class 3 --per-example examples.csv',
            'palimpsest score evidence.safetensors --reference reference.safetensors',
            'palimpsest score samples/ --reference cifar10-statistics.npz',
          ],
          FORMAT,
        ),
      )
      .action(execute),
}

async function execute(path: string, options: Options): Promise<void> {
  const format = formatOf(options)
  if (options.perExample !== undefined) await checkWritable(options.perExample, '--per-example')
  else if (options.split !== undefined)
    throw new UsageError('--split: expected --per-example with a file to write to: it names the images there')
  const [own, beside] = await Promise.all([
    openNamed(path),
    options.reference === undefined ? null : openNamed(options.reference),
  ])
  const tools = openMetricTools()
  try {
    const found =
      own.kind === 'arrays' && (!beside || beside.kind === 'arrays')
        ? await ofEvidence(own, beside, { ...options, tools })
        : await ofPictures(own, beside, { ...options, tools })
    printScored(found, format)
  } finally {
    await tools.release()
  }
}

interface Context extends Options {
  tools: MetricTools
}

type ArraysFile = NamedFile & { kind: 'arrays' }

async function ofEvidence(own: ArraysFile, beside: ArraysFile | null, context: Context): Promise<ScoredFile> {
  const { metric, forgottenClass, tools } = context
  const recognised = recognise(own, beside, { forgottenClass })
  const other = context.retrain === undefined ? null : await retrained(context.retrain, recognised, beside, context)
  const wanted = metricsWanted(recognised, other, metric)
  const { values, warnings, unscored } = await scoreRecognised(recognised, wanted, { tools, retrained: other })
  const [first] = unscored
  // One that was asked for by name, or all of them, is why the command was typed.
  if (first && (metric || unscored.length === wanted.length)) throw first.error
  const retrain = other && (await scoreRecognised(other, ofOneModel(other, wanted), { tools, retrained: null })).values
  if (context.perExample !== undefined) await writeExamples(context.perExample, recognised, context)
  return {
    values,
    compared: retrain && { retrain, ...compareWith(recognised, { own: values, retrain, asked: metric }) },
    notes: [
      ...Object.entries(warnings).map(([id, warning]) => `${metricOf(id)?.title ?? id}: ${warning}`),
      ...unscored.map(({ named, error }) => `left out ${named}: ${error.message}`),
    ],
  }
}

/** Evidence of the same kind. */
async function retrained(path: string, own: Recognised, beside: ArraysFile | null, { forgottenClass }: Context) {
  const file = await openNamed(path)
  if (file.kind !== 'arrays') throw new UsageError(`--retrain ${path}: expected evidence, got ${file.kind}`)
  const found = recognise(file, beside, { forgottenClass })
  if (found.task === own.task) return found
  throw new UsageError(`--retrain ${path}: expected evidence of ${own.task}, got that of ${found.task}`)
}

async function ofPictures(own: NamedFile, beside: NamedFile | null, options: Context): Promise<ScoredFile> {
  const { tools, forgottenClass } = options
  if (!beside) {
    throw new UsageError(
      `${own.path} is ${own.kind === 'pictures' ? 'a folder of pictures' : 'mu and sigma'}: expected --reference with what to compare it with`,
    )
  }
  for (const name of ['metric', 'retrain', 'perExample'] as const) {
    if (options[name] === undefined) continue
    throw new UsageError(
      `--${name === 'perExample' ? 'per-example' : name}: expected evidence on both sides; this is FID alone`,
    )
  }
  const places = dataPlaces(homeOf(options.home), options.data)
  await checkPlaces(places)
  const { signal, release } = onInterrupts()
  let told = 0
  const picture = inceptionOf({
    ...places,
    threads: 0,
    signal,
    onProgress({ phase, done, total, unit }) {
      if (performance.now() - told < 5000) return
      told = performance.now()
      note(`${phase}: ${done}${total > 0 ? `/${total}` : ''} ${unit}`)
    },
  })
  try {
    const { identity, value, warning } = await fidBetween(own, beside, { tools, forgottenClass, picture })
    return { values: { fid: { identity, value } }, compared: null, notes: warning === null ? [] : [`FID: ${warning}`] }
  } finally {
    release()
  }
}

async function writeExamples(path: string, { science, evidence, task }: Recognised, { tools, split }: Context) {
  const answers = await science.examples?.(evidence, tools)
  if (!answers) throw new MetricError(`--per-example: nothing is known of single examples of ${task}`)
  const table = split === undefined ? answers : withImages(answers, await readPositions(split))
  try {
    await writeFile(path, [table.columns, ...table.rows].map(csvLine).join(''))
  } catch (error) {
    throw new Error(`--per-example ${path}: cannot be written: ${reasonOf(error)}`)
  }
  note(`Wrote ${plural(table.rows.length, 'example')} to ${path}.`)
}
