/** Two ways in which parameters may have been chosen: a board under one of them has the rows of that one alone. */
import { z } from 'zod'

export const rulesets = ['tuned', 'self-tuning'] as const
export type Ruleset = (typeof rulesets)[number]

/** What each asks of a row, for people. */
export const rulesetWords: Readonly<Record<Ruleset, string>> = {
  tuned: 'settings were chosen by a stated number of trials on pilot seeds that no board shows',
  'self-tuning': 'nothing was tuned; whatever a method does to find its way is in its time',
}

export const underRuleset = z.object({
  rules: z.enum(rulesets).optional().describe('Only rows under this ruleset, ranked among each other'),
})
