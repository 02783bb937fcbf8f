/** The known models, by their answers: retrain, retrain of other seeds, original, retrain with noise in its weights, and weights that were
 *  never trained. All are stages in the store, so that what is there is not computed again. */
import { methodOn, runWithProgress } from '../../runner/commands/parts/local-runs.ts'
import type { Setting } from '../../runner/commands/parts/local-setting.ts'
import { initialState } from '../../runner/engine/nn/initial-state.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { floats, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { type AuditSeeds, planAudit } from '../../runner/pipeline/audit.ts'
import { readEvidence } from '../../runner/pipeline/evidence.ts'
import type { LocalRun } from '../../runner/pipeline/local.ts'
import { runStage } from '../../runner/pipeline/run-stage.ts'
import { runnerTask, scienceTask } from '../../runner/pipeline/tasks.ts'
import { REFERENCE } from '../../runner/science/catalogue/catalogue.ts'
import { WEIGHTS } from '../../runner/science/weights.ts'
import { loadWeights, saveWeights } from '../../runner/stages/weights.ts'
import { note } from '../../runner/terminal/output.ts'
import type { StageOf } from '../../schema/stage.ts'

/** Of the noise, in standard deviations of the tensor that it is added to. */
export const NOISE = 0.5

/** Evidence of each kind, in the order of seeds. */
export async function knownModels(
  { target, ...context }: Setting,
  { seeds, jobs, threads }: { seeds: AuditSeeds; jobs: number; threads: number },
): Promise<Record<'again' | 'retrain' | 'original' | 'noise' | 'random', unknown[]>> {
  const [benchmark] = target.benchmarks
  if (!benchmark) throw new Error('no benchmark')
  const reference = methodOn(benchmark, REFERENCE, {})
  const original = methodOn(benchmark, 'original', {})
  const plan = await planAudit(benchmark, { reference, methods: [original], seeds })
  const isTold = (_: unknown, { fresh }: { fresh: boolean }) => fresh
  const { runs } = await runWithProgress(plan, context, { target, jobs, threads, isTold })
  const science = scienceTask(benchmark.task.id)
  const of = (method: string, own: number[]) =>
    own.map((seed) => runs.find((run) => run.method === method && run.seed === seed)!)
  const evidence = (artifacts: LocalRun['stages'][number]['result']['artifacts']) =>
    readEvidence(science, artifacts, context.store)
  const all = (chosen: LocalRun[]) => Promise.all(chosen.map(({ stages }) => evidence(stages.at(-1)!.result.artifacts)))

  const specs = new Map(plan.stages.map(({ key, spec }) => [key, spec]))
  /** What weights made here of a run's own answer, evaluated as those of the run are. */
  const changed = async (
    run: LocalRun,
    change: (state: Map<string, Tensor>, network: Network) => Map<string, Tensor>,
  ) => {
    const [train, evaluation] = [run.stages[0]!, run.stages.at(-1)!]
    const spec = specs.get(train.key) as StageOf<'train'>
    const loaded = await context.data(spec.dataset, { signal: context.signal })
    const { network } = await runnerTask(spec.task).model(spec, loaded, context)
    const state = change(await loadWeights(context.store, network, train.result.artifacts), network)
    const weights = { [WEIGHTS]: await saveWeights(context.store, network, state) }
    const asked = { ...context, threads, metrics: [], inputs: async () => weights, onProgress: () => {} }
    const { result } = await runStage(specs.get(evaluation.key)!, asked)
    return evidence(result.artifacts)
  }
  note('Evaluating weights with noise, and random ones.')
  const [noise, random]: [unknown[], unknown[]] = [[], []]
  for (const run of of(REFERENCE, seeds.own)) {
    noise.push(await changed(run, (state, network) => withNoise(state, network, run.seed)))
    random.push(await changed(run, (_, network) => initialState(network, run.seed, 'meta-evaluation/random')))
  }
  return {
    again: await all(of(REFERENCE, seeds.own)),
    retrain: await all(of(REFERENCE, seeds.beside)),
    original: await all(of(original.id, seeds.own)),
    noise,
    random,
  }
}

type Network = Parameters<typeof saveWeights>[1]

/** Of parameters only: a variance that batch normalisation keeps must not become negative. */
function withNoise(state: Map<string, Tensor>, { parameters }: Network, seed: number): Map<string, Tensor> {
  const changed = parameters.map(({ name, shape }): [string, Tensor] => {
    const values = state.get(name)!.data as Float32Array
    const stream = randomStream(seed, `meta-evaluation/noise/${name}`)
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length)
    const noisy = values.map((value) => value + NOISE * spread * stream.normal())
    return [name, floats(shape, noisy)]
  })
  return new Map([...state, ...changed])
}
