/** Class-wise forgetting of full Fashion-MNIST by a narrow ResNet-18, whose original the random board shares. */
import { fashionMnistResnet1816Random10 } from '../benchmarks/fashion-mnist.resnet18-16.random-10.ts'
import { pictured } from '../classes.ts'
import { defineClassWise } from '../suite.ts'

export const fashionMnistResnet1816ClassWise = defineClassWise({
  ...fashionMnistResnet1816Random10,
  family: 'fashion-mnist.resnet18-16',
  title: 'Fashion-MNIST, ResNet-18 of width 16',
  summary: (forgotten) =>
    `All 60,000 training and 10,000 test images of Fashion-MNIST. All 6,000 training images of ${forgotten} are to be forgotten, and its test images count neither for TA nor for MIA.`,
  classes: pictured['fashion-mnist'].classes,
})
