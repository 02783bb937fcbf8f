export { classification } from './classification/task.ts'
export { generation } from './generation/task.ts'
