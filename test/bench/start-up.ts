/** How long an exported model takes until its first step: reading, building and differentiating the step, writing it as ONNX, and
 *  compiling. Arguments: files of torch.onnx.export. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { networkOfModel } from '../../runner/engine/nn/exported.ts'
import { modelBytes } from '../../runner/engine/onnx/model.ts'
import { onnxruntimeVersion, openSession } from '../../runner/engine/onnx/session.ts'
import { sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { optimizer } from '../../schema/parts/recipe.ts'
import { stepsOf } from '../support/steps.ts'
import { summarize, tableOf, withRange } from './summary.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, batch: { type: 'string', default: '64' } },
})
const [rounds, batchSize] = [Number(values.rounds), Number(values.batch)]
const IMAGES = 64
const phases = ['read', 'build', 'write', 'compile', 'all'] as const
type Seconds = Record<(typeof phases)[number], number>

/** Seconds that passed, and seconds of processor time, so that other work on the machine counts less. */
async function start(path: string): Promise<{ wall: Seconds; processor: Seconds; nodes: number; mebibytes: number }> {
  const wall = [performance.now()]
  const processor = [process.cpuUsage()]
  const lap = () => {
    wall.push(performance.now())
    processor.push(process.cpuUsage())
  }
  const external = (location: string) => readFileSync(join(dirname(path), location))
  const network = networkOfModel(readFileSync(path), { external })
  lap()
  const pixels = new Uint8Array(IMAGES * sizeOf(network.inputShape))
  const train = { images: pixels, labels: new Uint8Array(IMAGES), count: IMAGES }
  const program = stepsOf(
    classifierObjective({ network, train, augment: false }),
    fitLabels(Int32Array.from(train.labels.keys()), { batchSize }),
    { optimizer: optimizer.parse({ kind: 'sgd' }) },
  )
  lap()
  const bytes = modelBytes(program)
  lap()
  const session = await openSession(program)
  lap()
  await session.release()
  const between = <T>(marks: T[], of: (from: T, to: T) => number): Seconds => {
    const [read, build, write, open] = marks.slice(1).map((mark, i) => of(marks[i]!, mark)) as [
      number,
      number,
      number,
      number,
    ]
    // Opening writes once more.
    return { read, build, write, compile: open - write, all: read + build + open }
  }
  const { body } = program.nodes.find(({ op }) => op === 'Loop')!.attributes
  return {
    wall: between(wall, (from, to) => (to - from) / 1000),
    processor: between(processor, (from, to) => (to.user - from.user + to.system - from.system) / 1e6),
    nodes: body?.kind === 'graph' ? body.value.nodes.length : 0,
    mebibytes: bytes.length / 2 ** 20,
  }
}

console.log(
  `batch ${batchSize}, ${cpus()[0]?.model}, ${availableParallelism()} threads, onnxruntime ${onnxruntimeVersion()}, ${rounds} rounds`,
)
for (const path of positionals) {
  const starts: Awaited<ReturnType<typeof start>>[] = []
  for (let i = 0; i < rounds; i++) starts.push(await start(path))
  const [{ nodes, mebibytes }] = starts as [Awaited<ReturnType<typeof start>>]
  const rows = phases.map((phase) => [
    phase,
    ...(['processor', 'wall'] as const).map((of) => withRange(summarize(starts.map((one) => one[of][phase])), 2)),
  ])
  console.log(
    `\n${basename(path)}: ${nodes} nodes, ${mebibytes.toFixed(1)} MiB\n${tableOf(['', 'processor s', 's'], rows)}`,
  )
}
