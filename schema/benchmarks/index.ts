export { default as 'cifar10.resnet18.random-10' } from './cifar10.resnet18.random-10.ts'
export { default as 'fashion-mnist.small-cnn.random-10' } from './fashion-mnist.small-cnn.random-10.ts'
export { default as 'fashion-mnist-5k.small-cnn.random-10' } from './fashion-mnist-5k.small-cnn.random-10.ts'
