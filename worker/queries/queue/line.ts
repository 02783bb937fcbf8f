/** Who stands before whom, and which runners may take what. Stages that ask for the same are looked at once: each question is asked
 *  of every pair of waiting stages. */
import { meets, type Needs } from '../../../schema/requirements.ts'
import type { OpenStage } from './open-stages.ts'
import type { KnownRunner } from './runners.ts'
import type { Waiting } from './waiting.ts'

export const isQueued = ({ state }: OpenStage) => state === 'queued'

/** Equal of stages that ask for the same. */
const wishOf = ({ requires, engine, failedBy }: OpenStage): string =>
  `${engine} ${JSON.stringify([requires, failedBy])}`

const needsOf = ({ requires, engine }: OpenStage): Needs => ({ ...requires, engine })

/** Runners that will be given such a stage once they are free: not one that failed it while there are others. */
export function takersOf(runners: KnownRunner[]): (stage: OpenStage) => KnownRunner[] {
  const known = new Map<string, KnownRunner[]>()
  return (stage) => {
    const wish = wishOf(stage)
    const found =
      known.get(wish) ??
      untriedOf(
        stage,
        runners.filter(
          ({ able, state, present }) => state === 'active' && present && able !== null && meets(able, needsOf(stage)),
        ),
      )
    known.set(wish, found)
    return found
  }
}

function untriedOf({ failedBy }: OpenStage, runners: KnownRunner[]): KnownRunner[] {
  const untried = runners.filter(({ id }) => !failedBy.includes(id))
  return untried.length > 0 ? untried : runners
}

export interface Line {
  /** What is to be known of a stage to say why it waits. */
  before(stage: OpenStage): Waiting
  /** Runners that it may wait for. */
  candidates(stage: OpenStage): KnownRunner[]
}

export function lineOf(stages: OpenStage[], runners: KnownRunner[]): Line {
  const takers = takersOf(runners)
  const ready = stages.filter((stage) => isQueued(stage) && stage.after.length === 0)
  const places = new Map(ready.map(({ key }, place) => [key, place]))
  const wishes = ready.map(wishOf)
  const running = Map.groupBy(
    stages.filter(({ state }) => state === 'leased'),
    ({ author }) => author,
  )
  const rivals = new Map<string, Set<string>>()
  /** What else the idle runners of such a stage may take. */
  const rivalsOf = (stage: OpenStage): Set<string> => {
    const wish = wishOf(stage)
    const known = rivals.get(wish)
    if (known) return known
    const idle = new Set(takers(stage).filter((runner) => runner.running === 0))
    const found = new Set(ready.filter((other) => takers(other).some((runner) => idle.has(runner))).map(wishOf))
    rivals.set(wish, found)
    return found
  }
  return {
    candidates(stage) {
      const left = takers(stage).some(({ id }) => !stage.failedBy.includes(id)) ? stage.failedBy : []
      return runners.filter(({ id }) => !left.includes(id))
    },
    before(stage) {
      const place = places.get(stage.key) ?? 0
      const own = rivalsOf(stage)
      const { author, indexUnshared } = stage
      return {
        kind: stage.kind,
        requires: needsOf(stage),
        sharedOn: isQueued(stage) ? null : stage.runner,
        share: running.get(author)?.length ?? 0,
        overtaken: ready.some(
          (other, at) => at < place && other.author !== author && other.indexUnshared > indexUnshared,
        ),
        before: wishes.reduce((sum, wish, at) => sum + Number(at < place && own.has(wish)), 0),
      }
    },
  }
}
