/** Which parameters the last layers of a network are. */
import { expect, test } from 'vitest'
import { resnet18 } from '../../runner/engine/nn/models/resnet18.ts'
import { smallCnn } from '../../runner/engine/nn/models/small-cnn.ts'
import { swinT } from '../../runner/engine/nn/models/swin-t.ts'
import { vit } from '../../runner/engine/nn/models/vit.ts'
import { networkOf } from '../../runner/engine/nn/network.ts'
import { sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { UnfitError } from '../../runner/science/method.ts'
import { lastLayer, lastLayers, layersOf, ownOf } from '../../runner/science/methods/parts/layers.ts'

const options = { classes: 10, normalization: { mean: [0.5], std: [0.5] } }
const parametersOf = (model: typeof smallCnn, side: number, own: object = {}) =>
  networkOf([1, side, side], 10, (scope, x) =>
    model.build(scope, x, options, model.params.parse({ width: 2, ...own })),
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

test('tokens and positions are no layers of their own', () => {
  const first = (layers: { name: string }[][]) => layers.map(([own]) => own!.name)
  const parts = ['attn.qkv', 'attn.proj', 'mlp.0', 'mlp.3']
  expect(namesOf(layersOf(parametersOf(vit, 8, { depth: 1, heads: 1 })))).toEqual([
    [
      'patch_embed.proj.weight',
      'patch_embed.proj.bias',
      'cls_token',
      'pos_embed',
      'blocks.0.norm1.weight',
      'blocks.0.norm1.bias',
    ],
    ['blocks.0.attn.qkv.weight', 'blocks.0.attn.qkv.bias'],
    ['blocks.0.attn.proj.weight', 'blocks.0.attn.proj.bias', 'blocks.0.norm2.weight', 'blocks.0.norm2.bias'],
    ['blocks.0.mlp.fc1.weight', 'blocks.0.mlp.fc1.bias'],
    ['blocks.0.mlp.fc2.weight', 'blocks.0.mlp.fc2.bias', 'norm.weight', 'norm.bias'],
    ['head.weight', 'head.bias'],
  ])
  const swin = parametersOf(swinT, 8, { depths: [1, 1], heads: [1, 2] })
  expect(first(layersOf(swin))).toEqual([
    'features.0.0.weight',
    ...parts.map((part) => `features.1.0.${part}.weight`),
    'features.2.reduction.weight',
    ...parts.map((part) => `features.3.0.${part}.weight`),
    'head.weight',
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
