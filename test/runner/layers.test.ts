/** Which parameters the last layers of a network are. */
import { expect, test } from 'vitest'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { UnfitError } from '../../runner/science/method.ts'
import { lastLayer, lastLayers, layersOf, ownOf } from '../../runner/science/methods/parts/layers.ts'

const options = { classes: 10, normalization: { mean: [0.5], std: [0.5] } }
const parametersOf = (model: typeof smallCnn, side: number) =>
  networkOf([1, side, side], 10, (scope, x) =>
    model.build(scope, x, options, model.params.parse({ width: 2 }) as Record<string, number>),
  ).parameters.map(({ name, shape }) => ({ name, shape, size: sizeOf(shape) }))
const namesOf = (layers: { name: string }[][]) => layers.map((layer) => layer.map(({ name }) => name))

test('a layer is a matrix or kernel with its bias and the norm after it', () => {
  expect(namesOf(layersOf(parametersOf(smallCnn, 8)))).toEqual([
    ['conv1.weight', 'bn1.weight', 'bn1.bias'],
    ['conv2.weight', 'bn2.weight', 'bn2.bias'],
    ['conv3.weight', 'bn3.weight', 'bn3.bias'],
    ['fc1.weight', 'fc1.bias'],
    ['fc2.weight', 'fc2.bias'],
  ])
  // 20 convolutions, three of them in shortcuts, and the classifier.
  const residual = parametersOf(resnet18, 8)
  expect(layersOf(residual)).toHaveLength(21)
  expect(namesOf(lastLayers(residual, 2))).toEqual([
    ['layer4.1.conv2.weight', 'layer4.1.bn2.weight', 'layer4.1.bn2.bias'],
    ['fc.weight', 'fc.bias'],
  ])
})

test('what belongs to a matrix or kernel itself leaves its norm out', () => {
  const layers = layersOf(parametersOf(smallCnn, 8))
  expect(namesOf(layers.map(ownOf))).toEqual([
    ['conv1.weight'],
    ['conv2.weight'],
    ['conv3.weight'],
    ['fc1.weight', 'fc1.bias'],
    ['fc2.weight', 'fc2.bias'],
  ])
})

test('more layers than there are, and a last layer that gives no logits, are refused', () => {
  const parameters = parametersOf(smallCnn, 8)
  expect(() => lastLayers(parameters, 6)).toThrow(
    new UnfitError('layers: expected at most 5, which is all that this model has, got 6'),
  )
  expect(lastLayer(parameters, 10).features).toBe(128)
  expect(() => lastLayer(parameters, 7)).toThrow('expected a last layer of [7, features], got fc2.weight [10,128]')
})
