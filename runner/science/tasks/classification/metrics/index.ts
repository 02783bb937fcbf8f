export { mia } from './mia.ts'
export { ra } from './ra.ts'
export { ta } from './ta.ts'
export { ua } from './ua.ts'
