export { classification } from './classification/view.tsx'
export { generation } from './generation/view.tsx'
