export { cifar10DdpmUnetClassWise as 'cifar10.ddpm-unet.class-wise' } from './cifar10.ddpm-unet.class-wise.ts'
export { fashionMnist5k16DdpmUnetClassWise as 'fashion-mnist-5k-16.ddpm-unet.class-wise' } from './fashion-mnist-5k-16.ddpm-unet.class-wise.ts'
export { fashionMnist5kSmallCnnClassWise as 'fashion-mnist-5k.small-cnn.class-wise' } from './fashion-mnist-5k.small-cnn.class-wise.ts'
export { fashionMnistResnet1816ClassWise as 'fashion-mnist.resnet18-16.class-wise' } from './fashion-mnist.resnet18-16.class-wise.ts'
