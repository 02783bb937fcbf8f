export { ft } from './ft.ts'
export { original } from './original.ts'
export { retrain } from './retrain.ts'
