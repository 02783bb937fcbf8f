/** The unlearn stage: a method on the weights of the original. */

import { forgottenClasses } from '../../schema/parts/request.ts'
import type { StageOf } from '../../schema/stage.ts'
import { taskNamed } from '../../schema/task.ts'
import { randomStream } from '../engine/nn/random.ts'
import { openMethod } from '../sandbox/method.ts'
import { fileOf, sourceOf } from '../sandbox/source.ts'
import { methods } from '../science/catalogue/catalogue.ts'
import { type MethodDefinition, requestRefusal, type Unlearning } from '../science/method.ts'
import { WEIGHTS } from '../science/weights.ts'
import { startClock } from '../stages/clock.ts'
import { ConfigurationError } from '../stages/configuration-error.ts'
import { saveMasks } from '../stages/masks.ts'
import { splitFor, splitWords } from '../stages/split.ts'
import type { StageContext, StageOutcome } from '../stages/stage.ts'
import { loadWeights, saveWeights } from '../stages/weights.ts'
import { openPath } from './path.ts'
import { runnerTask } from './tasks.ts'
import { lossWords, openTrainer } from './training.ts'

export async function unlearn(spec: StageOf<'unlearn'>, context: StageContext): Promise<StageOutcome> {
  const { store, signal, log, onProgress } = context
  const total = startClock()
  const { seed, request } = spec
  const { id, params } = spec.method
  const method = await methodFor(spec, context)
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { train, classes } = loaded.dataset
  const model = await runnerTask(spec.task).model(spec, loaded, context)
  const { network } = model
  const state = await loadWeights(store, network, await context.inputs(spec.inputs.original!))
  const { forget, retain } = await splitFor(spec, loaded, context)
  const forgotten = forgottenClasses(request)
  const what = forgotten.map((label) => `class ${label} (${classes[label]}), `).join('')
  log(
    `${id} on ${spec.dataset.id}: forgetting ${what}${forget.length} images, retaining ${retain.length}, seed ${seed}${splitWords(spec)}`,
  )
  log(`parameters ${JSON.stringify(params)}`)
  const path = openPath(spec, { model, split: { forget, retain } }, context)
  const opening = { model, state, augment: spec.augment, purpose: spec.kind, watch: path?.watch }
  const trainer = openTrainer(spec, opening, context)
  try {
    const before = total()
    await trainer.look()
    await method.run({
      params: method.params.parse(params),
      trainer,
      verbs: model.verbs(trainer, { seed, purpose: spec.kind, onProgress }),
      ...{ forget, retain, forgotten },
      labels: train.labels,
      classes: classes.length,
      random: randomStream(seed, 'labels'),
    })
    const { mask, compile, work } = trainer.seconds()
    const passes = trainer.looks().length - 1
    if (path && !path.sawLast(trainer.looks(), trainer.state())) await trainer.look()
    const losses = trainer.losses()
    log(lossWords(losses))
    const artifacts = {
      [WEIGHTS]: await saveWeights(store, network, trainer.state()),
      ...(await saveMasks(store, trainer.parameters, trainer.masks())),
      ...(await path?.artifacts(trainer.looks(), passes)),
      ...(await sourceArtifact(spec, store)),
    }
    return { artifacts, seconds: { setUp: before + compile, ...(mask > 0 && { mask }), unlearn: work }, losses }
  } finally {
    await trainer.release()
    await path?.release()
  }
}

/** Throws ConfigurationError for a method that this release does not have for the task, or has in another version, and for a
 *  request that the task does not know. */
async function methodFor(
  { task, method, request }: StageOf<'unlearn'>,
  context: Pick<StageContext, 'store' | 'log'>,
): Promise<Unlearning> {
  const { requests, title } = taskNamed(task)
  if (!requests.includes(request.kind))
    throw new ConfigurationError(
      `${title.toLowerCase()} forgets ${requests.map((kind) => `a ${kind}`).join(' or ')}; the request is ${request.kind}`,
    )
  const { id, version } = method
  const definition = method.source === undefined ? methods.get(id) : await methodOfFile(method, context)
  const own = definition?.on[task]
  if (!definition || !own) {
    const known = [...methods].flatMap(([name, { on }]) => (on[task] ? name : []))
    throw new ConfigurationError(`no method ${id} that unlearns ${task}; known: ${known.join(', ')}`)
  }
  if (definition.version !== version)
    throw new ConfigurationError(
      `the job asks for version ${version} of ${id}, this runner has version ${definition.version}; use the release that matches`,
    )
  const fault = requestRefusal(id, own, request)
  if (fault !== null) throw new ConfigurationError(fault)
  return own
}

type Named = StageOf<'unlearn'>['method']

/** A method that is a file of its own, which the store has. */
async function methodOfFile(
  { id, source }: Named,
  { store, log }: Pick<StageContext, 'store' | 'log'>,
): Promise<MethodDefinition> {
  return await openMethod(await sourceOf(fileOf(id), await store.get(source!)), { log })
}

/** Its file, which stays with what it made. */
async function sourceArtifact({ method: { id, source } }: StageOf<'unlearn'>, store: StageContext['store']) {
  return source === undefined
    ? {}
    : { [`method.${fileOf(id).split('.').at(-1)}`]: await store.put(await store.get(source)) }
}
