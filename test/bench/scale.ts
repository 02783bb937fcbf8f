/** Does cost grow as the work grows? Time of an epoch against the number of images, memory against the number of epochs, start-up
 *  of large models, and membership inference at the size of CIFAR-10. */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { denoiserNetworkOf } from '../../runner/engine/nn/denoiser-network.ts'
import { ddpmUnet } from '../../runner/engine/nn/denoisers/ddpm-unet.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import type { Graph } from '../../runner/engine/onnx/graph.ts'
import { onnxruntimeVersion, openSession } from '../../runner/engine/onnx/session.ts'
import { svcWith } from '../../runner/engine/svc.ts'
import { createTrainer } from '../../runner/engine/training/trainer.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { fitImages } from '../../runner/science/tasks/generation/vocabulary.ts'
import { classifierObjective } from '../../runner/tasks/classification/objective.ts'
import { diffusionObjective } from '../../runner/tasks/generation/objective.ts'
import { diffusion } from '../../schema/parts/diffusion.ts'
import { optimizer } from '../../schema/parts/recipe.ts'
import { stepsOf } from '../support/steps.ts'
import { summarize, tableOf, withRange } from './summary.ts'

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '0' }, rounds: { type: 'string', default: '5' } },
})
const threads = Number(values.threads) || availableParallelism()
const rounds = Number(values.rounds)
const SMALL = 5_000
const LARGE = 50_000
const EPOCHS = 30
const classes = 10
const normalization = { mean: [0.5], std: [0.25] }
const random = randomStream(0, 'scale')
const signal = new AbortController().signal

const split = {
  images: Uint8Array.from({ length: LARGE * 28 * 28 }, (_, i) => (i * 7919) % 251),
  labels: Uint8Array.from({ length: LARGE }, () => random.integer(classes)),
  count: LARGE,
}
const small = networkOf([1, 28, 28], classes, (scope, x) =>
  smallCnn.build(scope, x, { classes, normalization }, smallCnn.params.parse({})),
)
const trainer = createTrainer({
  objective: classifierObjective({ network: small, train: split, augment: false }),
  state: initialState(small, 0),
  seed: 0,
  purpose: 'scale',
  threads,
  signal,
  onProgress: () => {},
})
const sgd = trainer.sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 })
const train = (count: number, passes: number) =>
  sgd.descend([fitLabels(Int32Array.from(Array(count).keys()), { batchSize: 50 })], { passes })

interface Cost {
  processor: number
  wall: number
}

/** Processor time, so that other work on the machine counts less, and the time that passed; both in seconds. */
async function timed(action: () => Promise<unknown>): Promise<Cost> {
  const [start, used] = [performance.now(), process.cpuUsage()]
  await action()
  const { user, system } = process.cpuUsage(used)
  return { processor: (user + system) / 1e6, wall: (performance.now() - start) / 1000 }
}

console.log(`${cpus()[0]?.model}, ${threads} threads, onnxruntime ${onnxruntimeVersion()}`)
await train(SMALL, 1) // compiles
const pairs: { many: Cost; one: Cost }[] = []
for (let i = 0; i < rounds; i++) {
  const many = await timed(() => train(SMALL, LARGE / SMALL))
  pairs.push({ many, one: await timed(() => train(LARGE, 1)) })
}
const ratio = (of: keyof Cost) => withRange(summarize(pairs.map(({ many, one }) => one[of] / many[of])), 3)
console.log(
  `\nan epoch of ${LARGE} images over ${LARGE / SMALL} epochs of ${SMALL}, median of ${rounds}: ` +
    `${ratio('processor')} of the processor time, ${ratio('wall')} of the time`,
)

const memory: [number, number][] = []
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  await train(SMALL, 1)
  if (epoch % (EPOCHS / 3) === 0) memory.push([epoch, process.memoryUsage.rss() / 2 ** 20])
}
await trainer.release()
console.log(`\nmemory after ${memory.map(([epoch, mib]) => `${epoch} epochs: ${mib.toFixed(0)} MiB`).join(', ')}`)

const network = networkOf([3, 32, 32], classes, (scope, x) =>
  resnet18.build(scope, x, { classes, normalization }, resnet18.params.parse({})),
)
const unetParams = ddpmUnet.params.parse({})
const unet = denoiserNetworkOf([3, 32, 32], classes, (scope, inputs) =>
  ddpmUnet.build(scope, inputs, { classes }, unetParams),
)
const coloured = { images: new Uint8Array(LARGE * 3 * 32 * 32), labels: split.labels, count: LARGE }
const everything = Int32Array.from(Array(LARGE).keys())
const programs: Record<string, () => Graph> = {
  'ResNet-18': () =>
    stepsOf(
      classifierObjective({ network, train: coloured, augment: true }),
      fitLabels(everything, { batchSize: 256 }),
      { optimizer: optimizer.parse({ kind: 'sgd' }) },
    ),
  'CIFAR-10 U-Net': () =>
    stepsOf(
      diffusionObjective({
        denoiser: unet,
        diffusion: diffusion.parse({}),
        train: coloured,
        seed: 0,
        flip: true,
        executor: () => trainer.executor,
      }),
      fitImages(everything, { batchSize: 128, dropCondition: 0.1 }),
      { optimizer: optimizer.parse({ kind: 'adam' }), clipNorm: 1, average: 0.9999 },
    ),
}
const starts = []
for (const [name, program] of Object.entries(programs)) {
  const times: Cost[] = []
  for (let i = 0; i < 3; i++) {
    times.push(await timed(async () => await (await openSession(program(), { threads })).release()))
  }
  const column = (of: keyof Cost) => withRange(summarize(times.map((time) => time[of])), 2)
  starts.push([name, column('processor'), column('wall')])
}
console.log(`\n${tableOf(['start-up: build, differentiate, compile', 'processor s', 's'], starts)}`)

/** Confidences like those of a network that fits its training data. */
const confidences = (count: number, wrong: number) =>
  Float64Array.from({ length: count }, () => {
    const margin = random.uniform() < wrong ? -2 + 4 * random.normal() : 11 + 3 * random.normal()
    return Math.fround(1 / (1 + Math.exp(-margin)))
  })
const samples = Float64Array.from([...confidences(10_000, 0.0001), ...confidences(10_000, 0.06)])
const labels = new Uint8Array(samples.length).fill(1, 0, 10_000)
const queries = confidences(4_500, 0.03)
let said = 0
let longestWait = 0
let last = performance.now()
const timer = setInterval(() => {
  longestWait = Math.max(longestWait, performance.now() - last)
  last = performance.now()
}, 10)
const svc = await timed(() => svcWith(() => said++)({ samples, labels, cost: 3, gamma: 1, queries }))
clearInterval(timer)
console.log(
  `\nSVC on 10,000 + 10,000 + 4,500 confidences: ${svc.processor.toFixed(1)} s of processor time, ${svc.wall.toFixed(1)} s; ` +
    `${said} reports of progress, the main thread waited ${longestWait.toFixed(0)} ms at most`,
)
