/** One run of a method in the sandbox: it asks, the host answers in the order in which it was asked, until it ends. */

import type { Context } from '../science/method.ts'
import { UnfitError } from '../science/method.ts'
import type { ClassifierTypes } from '../science/tasks/classification/vocabulary.ts'
import { adamPasses, sgd } from '../science/tasks/classification/vocabulary.ts'
import { argumentsFor } from './arguments.ts'
import { type Engine, openEngine } from './engine.ts'
import { faultOf, MethodFault, placeIn, type Thrown } from './fault.ts'
import { LINE_CHARACTERS, type Limits } from './limits.ts'
import { describedBy } from './params.ts'
import { verbsOf } from './verbs.ts'

export interface Loaded {
  /** Its base name. */
  file: string
  /** JavaScript. */
  text: string
  limits: Limits
}

type Answer = (verb: string, given: unknown) => unknown

/** Parameters that many methods take, under the names that built-in methods have for them. */
const shared = { sgd: describedBy(sgd), adamPasses: describedBy(adamPasses) }

/** An engine with the method's file in it, and what the method says of itself. */
export async function describedIn(
  { file, text, limits }: Loaded,
  answer: Answer = (verb) => {
    throw new Error(`${verb}: there is a trainer only while a method runs`)
  },
): Promise<{ engine: Engine; description: unknown }> {
  const asOwn = ({ name, message }: Thrown) => (name === 'UnfitError' ? new UnfitError(message) : undefined)
  const engine = await openEngine({ file, limits, answer, asOwn })
  engine.call('provide', [], shared)
  return { engine, description: engine.load(text, 'describe') }
}

interface Waiting {
  call: number
  verb: string
  place: string
  outcome: Promise<unknown>
}

/** Runs a method of classifiers to its end. Throws what the trainer throws, MethodFault and UnfitError. */
export async function runInside(
  { file, text, limits }: Loaded,
  { trainer, random, verbs: { imageShape }, ...context }: Context<ClassifierTypes, Record<string, unknown>>,
  log: (line: string) => void,
): Promise<void> {
  const waiting: Waiting[] = []
  let ended: { thrown?: Thrown } | undefined
  let calls = 0
  let lines = 0
  const { labels } = context
  const { parameters } = trainer
  const schemas = argumentsFor({ parameters, population: labels.length, imageShape }, limits)
  const { atOnce, computing } = verbsOf({
    context: { trainer, random },
    schemas,
    invoke: (lent, name, given) => engine.call('invoke', [lent, name], given),
  })

  function answer(verb: string, given: unknown): unknown {
    switch (verb) {
      case 'done':
        ended = {}
        return {}
      case 'failed':
        ended = { thrown: given as Thrown }
        return {}
      case 'log':
        if (++lines <= limits.logLines)
          log(`${file}: ${String(schemas.log.parse(given).line).slice(0, LINE_CHARACTERS)}`)
        return {}
    }
    if (Object.hasOwn(atOnce, verb)) return { value: atOnce[verb]!(given) }
    if (!Object.hasOwn(computing, verb)) throw new Error(`expected a verb of the trainer, got "${verb}"`)
    const { at, given: own } = given as { at: string; given: unknown }
    const place = placeIn(at, file)
    const over =
      calls >= limits.calls
        ? `${limits.calls} calls of the trainer`
        : waiting.length >= limits.callsAtOnce && `${limits.callsAtOnce} calls of the trainer at once; await them`
    if (over) {
      engine.stop(new MethodFault('calls', `${place}: expected at most ${over}`))
      return {}
    }
    const outcome = Promise.resolve(computing[verb]!(own))
    // It is looked at in its turn.
    outcome.catch(() => {})
    waiting.push({ call: calls, verb, place, outcome })
    return { call: calls++ }
  }

  const { engine } = await describedIn({ file, text, limits }, answer)
  engine.call('begin', ['classification'], {
    ...context,
    labels: Int32Array.from(labels),
    parameters,
    verbs: { imageShape },
  })
  for (;;) {
    engine.runJobs()
    const next = waiting.shift()
    if (ended) return finish(ended, next)
    if (!next)
      throw new MethodFault(
        'unsettled',
        `${file}: it waits for something that never comes; await only what the trainer gives`,
      )
    engine.call('settle', [next.call], await outcomeOf(next))
  }

  function finish({ thrown }: { thrown?: Thrown }, left: Waiting | undefined): void {
    if (thrown) throw thrown.name === 'UnfitError' ? new UnfitError(String(thrown.message)) : faultOf(thrown, file)
    if (left) throw new MethodFault('unsettled', `${left.place}: the method ended before ${left.verb} did; await it`)
  }
}

/** What a verb could not make of what it was given has the place of the call; all else stays what it is. */
async function outcomeOf({ outcome, place }: Waiting): Promise<unknown> {
  try {
    return (await outcome) ?? null
  } catch (error) {
    if (error instanceof Error && ['ArgumentError', 'ExpressionError'].includes(error.name))
      throw new MethodFault('argument', `${place}: ${error.message}`)
    throw error
  }
}
