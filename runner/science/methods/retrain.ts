/** Exact unlearning: a fresh model trained on D_r only, the reference every score is compared with. */
import { defineMethod } from '../method.ts'

export const retrain = defineMethod({
  title: 'Retrain',
  summary: 'Trains a fresh model on D_r with the recipe of the original: what forgetting should look like.',
  paper: null,
  version: 1,
  mark: 6,
  trainsOn: 'retain',
  on: {},
})
