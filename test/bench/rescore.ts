/** How long `palimpsest rescore` takes: `npm run bench:rescore [-- EVALUATIONS]`. Made-up evidence of the quickstart's size in a home of
 *  its own, with confidences as its models have them, scored by two threads; once to write every value, once more to find all as it was. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../runner/commands/main.ts'
import { randomStream, type Stream } from '../../runner/engine/nn/random.ts'
import { EVIDENCE } from '../../runner/science/task.ts'
import { encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import { openStore } from '../../runner/store/store.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { planRun } from '../../schema/plan.ts'

const SLUG = 'fashion-mnist-5k.small-cnn.random-10'
const CLASSES = 10
const THREADS = 2
const count = Number(process.argv[2] ?? 1000)

/** `n` answers whose log-odds of the true class are normal with this mean and spread. */
function answers(random: Stream, n: number, mean: number, sd: number) {
  const labels = Uint8Array.from({ length: n }, () => random.integer(CLASSES))
  const logits = new Float32Array(n * CLASSES)
  labels.forEach((label, example) => {
    let others = 0
    for (let other = 0; other < CLASSES; other++) {
      const logit = 1.5 * random.normal()
      logits[example * CLASSES + other] = logit
      if (other !== label) others += Math.exp(logit)
    }
    logits[example * CLASSES + label] = Math.log(others) + mean + sd * random.normal()
  })
  return { logits, labels }
}

/** From a retrained model (quantiles of 0.54 to 4.4 log-odds on D_r) to an overfitted one, as measured on the quickstart's board. */
function evidenceOf(seed: number) {
  const random = randomStream(seed, 'bench')
  const [mean, sd] = [2.4 + 4 * random.uniform(), 1.3 + 1.7 * random.uniform()]
  const [ofTest, spread] = [Math.max(1.9, 0.8 * mean), sd + 1]
  const forgotten = random.uniform() < 0.5 ? [ofTest, spread] : [mean, sd]
  return encodeEvidence({
    classes: CLASSES,
    forgottenClass: null,
    forget: answers(random, 500, forgotten[0]!, forgotten[1]!),
    retain: answers(random, 4500, mean, sd),
    test: answers(random, 2000, ofTest, spread),
  })
}

const home = await mkdtemp(join(tmpdir(), 'palimpsest-rescore-'))
try {
  const store = openStore(home)
  const benchmark = benchmarks.get(SLUG)!
  for (let seed = 0; seed < count; seed++) {
    const stages = await planRun(benchmark, { id: 'retrain', version: 1, trainsOn: 'retain' }, {}, seed)
    const { key, spec } = stages.at(-1)!
    const result = {
      artifacts: { [EVIDENCE]: await store.put(evidenceOf(seed)) },
      seconds: { setUp: 0, evaluate: 0 },
      device: { deviceClass: 'made up', provider: 'cpu', precision: 'float32', threads: THREADS },
      versions: {},
      metrics: {},
      losses: [],
    }
    await store.writeStage(key, result, spec)
  }
  console.log(`${count} evaluations, ${THREADS} threads on ${availableParallelism()} x ${cpus()[0]?.model}`)
  for (const what of ['every value is new', 'nothing changed']) {
    const [began, before] = [performance.now(), process.cpuUsage()]
    const code = await main(['node', 'palimpsest', 'rescore', SLUG, '--home', home, '--threads', `${THREADS}`])
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(before)
    const cpu = (user + system) / 1e6
    const each = (of: number) => `${((1000 * of) / count).toFixed(1)} ms`
    console.log(
      `${what}: ${seconds.toFixed(1)} s (${each(seconds)} an evaluation), ${cpu.toFixed(1)} CPU s (${each(cpu)}); exit code ${code}`,
    )
  }
} finally {
  await rm(home, { recursive: true, force: true })
}
