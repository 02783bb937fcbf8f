/** Why a run waits: in a word of a closed list, and in a sentence. */
import type { WaitingReason } from '../../../schema/api/queue.ts'
import { type Able, meets, type Needs, requirementsOf } from '../../../schema/requirements.ts'

/** A runner that may still be given work some day. */
export interface Candidate {
  state: 'active' | 'paused' | 'draining'
  /** Set where the server paused it by itself. */
  pauseReason: string | null
  /** Heard from lately. */
  present: boolean
  /** Null before it told what it can do. */
  able: Able | null
  /** Jobs that it holds. */
  running: number
}

/** The next stage of a waiting run. */
export interface Waiting {
  kind: string
  requires: Needs
  /** Set while another run has the stage computed. */
  sharedOn: string | null
  /** How many stages of its author run. */
  share: number
  /** Whether stages of others, asked for later, come first since its author has more running. */
  overtaken: boolean
  /** Stages that come first and that some runner of this one's may take. */
  before: number
}

export interface Why {
  reason: WaitingReason
  words: string
  /** Runners that meet the requirements, whatever they do now. */
  matching: Candidate[]
}

const runners = (n: number) => (n === 1 ? '1 runner' : `${n} runners`)
const allOf = ({ length }: readonly unknown[]) => (length === 1 ? 'the one runner' : `all ${length} runners`)
const areOrIs = ({ length }: readonly unknown[]) => (length === 1 ? 'is' : 'are')
const list = (words: string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(words)

export function whyWaits(stage: Waiting, candidates: readonly Candidate[]): Why {
  const able = candidates.filter((runner) => runner.able !== null)
  const matching = able.filter((runner) => meets(runner.able!, stage.requires))
  const said = (reason: WaitingReason, words: string): Why => ({ reason, words, matching })
  if (stage.sharedOn !== null)
    return said('earlier_stage', `its ${stage.kind} stage is being computed on ${stage.sharedOn} for another run`)
  if (able.length === 0) return said('no_runner', 'no runner has enrolled yet')
  if (matching.length === 0) return said('no_matching_runner', unmatched(stage.requires, able))
  const active = matching.filter(({ state }) => state === 'active')
  if (active.length === 0)
    return said(
      'paused',
      `${runners(matching.length)} could do it, but ${whoPaused(matching)} paused ${matching.length === 1 ? 'it' : 'them all'}`,
    )
  const present = active.filter((runner) => runner.present)
  if (present.length === 0) return said('runners_silent', `${allOf(active)} that could do it ${areOrIs(active)} silent`)
  const idle = present.filter(({ running }) => running === 0)
  if (idle.length > stage.before) return said('starting', 'a runner is free for it and asks next')
  if (stage.overtaken) return said('share', `its author has ${stage.share} running, and others with fewer come first`)
  if (idle.length > 0) return said('busy', `stages before it take what is free of ${runners(present.length)}`)
  return said('busy', `${allOf(present)} that could do it ${areOrIs(present)} taken`)
}

function whoPaused(all: readonly Candidate[]): string {
  const own = all.filter(({ pauseReason }) => pauseReason !== null)
  if (own.length === 0) return 'an admin'
  return own.length === all.length ? 'this server, for what failed there,' : 'an admin or this server'
}

/** Which requirement no runner meets, or that none meets all of them. */
function unmatched(requires: Needs, able: readonly Candidate[]): string {
  const parts = requirementsOf(requires)
  const never = parts.filter(({ met }) => !able.some((runner) => met(runner.able!)))
  const missing = never.length > 0 ? never : parts
  return `0 of ${runners(able.length)} match: none ${list(missing.map(({ words }) => words))}`
}
