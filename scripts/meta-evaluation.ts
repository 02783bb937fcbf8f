/** Whether each metric puts known models in their known order, and what it finds between retrained ones: docs/meta-evaluation.md, and
 *  the limits that are shown where metrics are described. What was computed before lies in the home and is not computed again.
 *  Run: npm run meta-evaluation [-- --home DIR --models 64 --single 16 --jobs 1 --threads 1] */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openLocal } from '../runner/commands/parts/local-setting.ts'
import { withOneForgetSet } from '../runner/commands/parts/one-forget-set.ts'
import { openMetricTools } from '../runner/engine/metric-tools.ts'
import { randomStream } from '../runner/engine/nn/random.ts'
import { type AuditSeeds, auditSeeds } from '../runner/pipeline/audit.ts'
import { targetOf } from '../runner/pipeline/catalogue.ts'
import { scienceTask } from '../runner/pipeline/tasks.ts'
import { limits as limitSentences } from '../runner/science/limits.ts'
import { type MetricDefinition, MetricError, type Shuffle } from '../runner/science/metric.ts'
import { furthest, nullFloor } from '../runner/science/population.ts'
import { shuffleOf } from '../runner/science/stream.ts'
import { note } from '../runner/terminal/output.ts'
import { fixed } from '../runner/words/numbers.ts'
import { knownModels, NOISE } from './meta-evaluation/models.ts'
import { distancesOf, type Judged, judged, judgePairs, judgeValues, kinds } from './meta-evaluation/order.ts'

const { values: options } = parseArgs({
  options: {
    home: { type: 'string' },
    models: { type: 'string', default: '64' },
    single: { type: 'string', default: '16' },
    jobs: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
})
const [MODELS, SINGLE] = [Number(options.models), Number(options.single)]
const SIZES = [3, 5, 10, MODELS]
const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const FROM = 2000
const TASK = 'classification'
const { metrics, population } = scienceTask(TASK)

const threads = Number(options.threads)
const local = {
  ...(options.home !== undefined && { home: options.home }),
  threads,
  device: 'cpu',
  precision: 'tf32',
} as const
const seeds = auditSeeds(MODELS, FROM)
const first = (own: number[]) => own.slice(0, SINGLE)
/** For metrics of one model also what probes find. */
const single = await modelsOf(`${SLUG}.probed`, { own: first(seeds.own), beside: first(seeds.beside) })
const models = await modelsOf(SLUG, seeds)

async function modelsOf(slug: string, seeds: AuditSeeds) {
  const { target, context, release } = await openLocal(targetOf(slug), local)
  const setting = await withOneForgetSet(target, 0, context)
  const found = await knownModels(setting, { seeds, jobs: Number(options.jobs), threads })
  release()
  return found
}

type Models = typeof models
const purpose = (name: string) => randomStream(0, `meta-evaluation/${name}`)
/** Worked on one by one, since the classifier of MIA takes its time. */
const each = async <From, To>(items: From[], work: (item: From, at: number) => To | Promise<To>): Promise<To[]> => {
  const done: To[] = []
  for (const [at, item] of items.entries()) done.push(await work(item, at))
  return done
}

interface Line extends Judged {
  id: string
  /** Of a metric with several numbers. */
  part?: string
  title: string
  group: string
  decimals: number
}

async function ofMetric(id: string, metric: MetricDefinition): Promise<Judged> {
  const tools = openMetricTools({ threads })
  try {
    if (metric.against) {
      const values = await valuesOf((kind) =>
        each(single[kind], (one, at) => metric.compute(one, tools, single.retrain[at])),
      )
      // What retrain has beside itself.
      const ideal = await metric.compute(single.retrain[0], tools, single.retrain[0])
      return judgePairs(values, ideal, SIZES, purpose(id))
    }
    const own = await valuesOf((kind) => each(single[kind], (one) => metric.compute(one, tools)))
    const retrain = await each(single.retrain, (one) => metric.compute(one, tools))
    return judgeValues({ ...own, retrain }, SIZES, purpose(id))
  } finally {
    await tools.release()
  }
}

async function valuesOf(of: (kind: (typeof kinds)[number]) => Promise<number[]>) {
  const found = await each([...kinds], async (kind) => [kind, await of(kind)] as const)
  return Object.fromEntries(found) as Record<(typeof kinds)[number], number[]>
}

function ofPopulation(id: string, looked: Models): Omit<Line, 'group'>[] {
  const metric = population!.metrics[id]!
  const shuffle: Shuffle = shuffleOf(purpose(id))
  const found = new Map(
    kinds.map((kind) => [kind, metric.compute({ unlearned: looked[kind], retrained: looked.retrain })]),
  )
  const sizes = SIZES.map((n) => {
    try {
      const floor = nullFloor(metric, [...looked.again, ...looked.retrain], { n, draws: 20, shuffle })
      const [unlearned, retrained] = [looked.original.slice(0, n), looked.retrain.slice(0, n)]
      return { n, floor, original: metric.compute({ unlearned, retrained }) }
    } catch (error) {
      if (error instanceof MetricError) return { n, floor: null } // too few to be computed at all
      throw error
    }
  })
  return Object.entries(metric.parts).map(([part, { title, ideal, decimals }]) => {
    const away = (value: number) => Math.abs(value - ideal)
    const distances = distancesOf((kind) => away(found.get(kind)![part]!))
    const floors = sizes.map(({ n, floor, original }) => ({
      n,
      floor: floor && furthest(floor, part, ideal),
      ...(original && { original: away(original[part]!) }),
    }))
    const own = floors.at(-1)!.floor!
    return { id, part, title: `${metric.title}, ${title}`, decimals, ...judged(distances, floors, own) }
  })
}

const lines: Line[] = []
/** Of metrics that ask for more than the answers of models, such as features of a layer. */
const unasked: string[] = []
for (const [id, metric] of Object.entries(metrics)) {
  note(id)
  const group = metric.against ? 'pair' : 'single'
  const decimals = metric.unit === '%' ? 2 : 3
  try {
    lines.push({ id, title: metric.title, group, decimals, ...(await ofMetric(id, metric)) })
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    unasked.push(`* \`${id}\`: ${error.message}.`)
  }
}
const looked = Object.fromEntries(
  Object.entries(models).map(([kind, all]) => [kind, all.map(population!.look)]),
) as Models
for (const id of Object.keys(population!.metrics)) {
  note(id)
  lines.push(...ofPopulation(id, looked).map((line) => ({ ...line, group: 'population' })))
}

const table = (head: string[], body: string[][]) =>
  [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
const shown = (group: string) =>
  table(
    [
      'metric',
      'id',
      'retrain again',
      'original',
      'noise',
      'random',
      ...SIZES.map((n) => `floor, n = ${n}`),
      'tells the original',
      'out of order',
    ],
    lines
      .filter((line) => line.group === group)
      .map(({ id, title, distances, floors, decimals, from, limits }) => [
        title,
        `\`${id}\``,
        ...kinds.map((kind) => fixed(distances[kind], decimals)),
        ...floors.map(({ floor }) => (floor === null ? '–' : fixed(floor, decimals))),
        from === null ? 'no' : `from n = ${from}`,
        limits.length > 0 ? limits.join(', ') : 'none',
      ]),
  )

writeFileSync(
  new URL('../docs/meta-evaluation.md', import.meta.url),
  `# What metrics make of models that are known

Written by \`npm run meta-evaluation\` on ${SLUG}, whose D_f is
for all models what seed 0 draws: ${MODELS} models of each kind; for metrics of one
model or of two the first ${SINGLE}, with the probes of ${SLUG}.probed.

A metric of forgetting should find a retrained model of another seed nearest to retrain, the original further, and a random model
furthest; a retrained model with noise in its weights (${NOISE} standard deviations of each tensor) should not pass for a retrained one.
Each cell says how far a kind comes out from retrain: of a metric that is better the closer it is to retrain the difference of means, of
any other the distance from what retrain has beside itself. No kind shares a seed with the retrained models that it is held against.

The floor is what models that are alike come out at, in 95 of 100 draws of n against n: what a difference must exceed to be one. The last
column names the kinds that a metric puts out of order, which is also said where the metric is described:

${Object.entries(limitSentences)
  .map(([limit, sentence]) => `* \`${limit}\`: ${sentence}.`)
  .join('\n')}

RA and TA are not to see forgetting: they say what it cost. A metric that takes a random model for a retrained one is of use only beside
them.

## One model at a time

${shown('single')}

## A model beside a retrained one

${shown('pair')}

## Many models beside many retrained ones

The floor is the furthest of 20 random draws of n against n retrained models; what KLOM and the NeurIPS'23 score come to depends on n, so
that the original is held against it by n models too. \`palimpsest audit\` shows these numbers for 64 models and more, each
with its floor. What is named out of order is that of a metric's first number.

${shown('population')}
${unasked.length > 0 ? `\n## Not held against them\n\n${unasked.join('\n')}\n` : ''}`,
)
const found = new Map(lines.toReversed().map(({ id, limits }) => [id, limits]))
const named = [...found].filter(([, limits]) => limits.length > 0).toSorted(([a], [b]) => (a < b ? -1 : 1))
const asKey = (id: string) => (/^\w+$/.test(id) ? id : `'${id}'`)
writeFileSync(
  new URL('../runner/science/tasks/classification/limits.ts', import.meta.url),
  `/** What the meta-evaluation found each metric unable to see, by id. Written by npm run meta-evaluation. */
import type { Limit } from '../../limits.ts'

export const limits: Readonly<Record<string, readonly Limit[]>> = {
${named.map(([id, limits]) => `  ${asKey(id)}: [${limits.map((limit) => `'${limit}'`).join(', ')}],\n`).join('')}}
`,
)
