export { cifar10Resnet18Random10 as 'cifar10.resnet18.random-10' } from './cifar10.resnet18.random-10.ts'
export { fashionMnist5kSmallCnnRandom10Probed as 'fashion-mnist-5k.small-cnn.random-10.probed' } from './fashion-mnist-5k.small-cnn.random-10.probed.ts'
export { fashionMnist5kSmallCnnRandom10 as 'fashion-mnist-5k.small-cnn.random-10' } from './fashion-mnist-5k.small-cnn.random-10.ts'
export { fashionMnistSmallCnnRandom10 as 'fashion-mnist.small-cnn.random-10' } from './fashion-mnist.small-cnn.random-10.ts'
