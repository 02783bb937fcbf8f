/** The floor of every gap: retrain against retrain. Two models that never saw D_f differ as well, since initialisation, order and
 *  augmentation do; what is no further from retrain than this cannot be told from it. */
import { defineMethod } from '../method.ts'

export const retrainAgain = defineMethod({
  title: 'Retrain again',
  summary:
    'Trains a second fresh model on the same D_r, with draws of its own: how far apart two models are that never saw D_f.',
  paper: null,
  version: 1,
  mark: 14,
  trainsOn: 'retain',
  draws: 'again',
  on: {},
})
