/** The model before anything is forgotten: trained on all of D. */
import { defineMethod } from '../method.ts'

export const original = defineMethod({
  title: 'Original',
  summary: 'Trains on all of D and forgets nothing: the state every other method starts from.',
  paper: null,
  version: 1,
  mark: 7,
  trainsOn: 'all',
  on: {},
})
