export { resnet18 } from './resnet18.ts'
export { smallCnn as 'small-cnn' } from './small-cnn.ts'
