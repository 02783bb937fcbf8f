export { fashionMnist as 'fashion-mnist' } from './fashion-mnist.ts'
export { fashionMnist5k as 'fashion-mnist-5k' } from './fashion-mnist-5k.ts'
