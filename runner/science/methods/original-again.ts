/** The original of another seed: trained on all of D with draws of its own. It has forgotten nothing and is no nearer to the original
 *  than two trainings are to each other, so that a metric which takes it for an unlearned model measures the draws. */
import { defineMethod } from '../method.ts'

export const originalAgain = defineMethod({
  title: 'Original again',
  summary: 'Trains a second model on all of D with draws of its own: what another seed of the original looks like.',
  paper: null,
  version: 1,
  mark: 34,
  trainsOn: 'all',
  draws: 'again',
  on: {},
})
