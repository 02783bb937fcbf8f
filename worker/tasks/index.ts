export { classification } from './classification.tsx'
export { generation } from './generation.tsx'
