export { cifar10 } from './cifar10.ts'
export { fashionMnist5k as 'fashion-mnist-5k' } from './fashion-mnist-5k.ts'
export { fashionMnist as 'fashion-mnist' } from './fashion-mnist.ts'
export { imageFolder as 'image-folder' } from './image-folder.ts'
