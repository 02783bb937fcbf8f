export { classification } from './classification.ts'
export { generation } from './generation.ts'
