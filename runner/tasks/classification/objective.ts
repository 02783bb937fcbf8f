/** What the engine must know of a classifier to train it: how its batches are gathered, and how it answers. */

import { residentImages } from '../../engine/nn/executor.ts'
import { featuresBefore } from '../../engine/nn/extract.ts'
import type { Network } from '../../engine/nn/network.ts'
import { addInput, type Value } from '../../engine/onnx/graph.ts'
import { int64s, tensor } from '../../engine/onnx/tensor.ts'
import { cropAndFlip, DRAWS, PADDING } from '../../engine/training/augment.ts'
import type { Net, Objective, Use } from '../../engine/training/objective.ts'
import type { Split } from '../../science/dataset.ts'
import type { Images } from '../../science/tasks/classification/vocabulary.ts'
import { type ClassifierTypes, classifierValues } from '../../science/tasks/classification/vocabulary.ts'

export interface ClassifierOptions {
  network: Network
  train: Split
  /** Pad-4 random crop and horizontal flip. */
  augment: boolean
}

/** What the graph knows of a term's batches. */
interface Shape {
  /** Images that stay resident, and whether they are the training set. */
  images: number
  own: boolean
  /** They come as numbers, not as bytes. */
  floats: boolean
  augment: boolean
}

const isFloats = (from: Images | undefined) => from?.images instanceof Float32Array

export function classifierObjective({ network, train, augment }: ClassifierOptions): Objective<ClassifierTypes> {
  const { parameters, buffers, inputShape } = network
  const resident = residentImages(train.images, inputShape)
  const nameOf = ({ own }: Pick<Shape, 'own'>, k: number) => (own ? `images.${k}` : 'images')
  // A mask looks at what training looks at, as in SalUn's released code.
  const augments = (use: Use, from: Images | undefined) => augment && use !== 'values' && !isFloats(from)
  const countOf = (from: Images | undefined) => from?.labels.length ?? train.count
  return {
    parameters,
    buffers,
    values: classifierValues,
    population: ({ items }) => items.length,
    batchSize: ({ batchSize }) => batchSize,
    shapeOf: ({ from }, use) => ({
      images: countOf(from),
      own: !!from,
      floats: isFloats(from),
      augment: augments(use, from),
    }),
    declare(graph, k, { batch, on, loss }) {
      const { images: count, own, floats, augment } = on as unknown as Shape
      const name = nameOf({ own }, k)
      // Terms share the training set.
      const images =
        graph.inputs.find((input) => input.name === name) ??
        addInput(graph, name, floats ? 'float32' : 'uint8', [count, ...inputShape])
      const plan = addInput(graph, `items.${k}`, 'int64', [-1, batch])
      const targets = loss.nodes.some(({ op }) => op === 'labels')
        ? addInput(graph, `labels.${k}`, 'int64', [-1, batch])
        : null
      const draws = augment ? addInput(graph, `draws.${k}`, 'int64', [-1, batch, DRAWS]) : null
      return (ops, iteration) => {
        let pixels: Value | undefined
        const seen = () => {
          if (!pixels) {
            const whole = ops.Gather(images, ops.Gather(plan, iteration))
            const cropped = draws ? cropAndFlip(ops, whole, ops.Gather(draws, iteration)) : whole
            pixels = floats ? cropped : ops.Mul(ops.Cast(cropped, 'float32'), 1 / 255)
          }
          return pixels
        }
        // Logits and features of one network on the same images come from one pass: running statistics move once.
        const answered: { x: Value; weight: Value | undefined; training: boolean; logits: Value }[] = []
        const answers = (x: Value, { values, training, update }: Net) => {
          const weight = values.get(parameters[0]!.name)
          const known = answered.find((one) => one.x === x && one.weight === weight && one.training === training)
          if (known) return known.logits
          const { logits, updates } = network.forward(ops, x, values, training)
          update(updates)
          answered.push({ x, weight, training, logits })
          return logits
        }
        return ({ op }, [x], net) => {
          switch (op) {
            case 'images':
              return seen()
            case 'labels':
              return ops.Gather(targets!, iteration)
            case 'logits':
              return answers(x ?? seen(), net!)
            case 'features':
              return featuresBefore(ops.graph, answers(x ?? seen(), net!))
            default:
              return null
          }
        }
      }
    },
    draw({ items, labels, from }, { k, use, running }) {
      const truth = from?.labels ?? train.labels
      return {
        feeds: { [nameOf({ own: !!from }, k)]: from ? residentImages(from.images, inputShape) : resident },
        async stepFeeds({ steps, batch, positions }) {
          // Each term has its own, so that it doesn't matter how many steps go in one call.
          const draws = running(k === 0 ? 'augment' : `augment.${k}`)
          const label = (position: number) => (labels ? labels[position]! : truth[items[position]!]!)
          return {
            [`items.${k}`]: tensor(
              'int64',
              [steps, batch],
              BigInt64Array.from(positions, (at) => BigInt(items[at]!)),
            ),
            [`labels.${k}`]: tensor(
              'int64',
              [steps, batch],
              BigInt64Array.from(positions, (at) => BigInt(label(at))),
            ),
            ...(augments(use, from) && {
              [`draws.${k}`]: int64s(
                [steps, batch, DRAWS],
                Array.from({ length: steps * batch * DRAWS }, (_, i) =>
                  draws.integer(i % DRAWS === 2 ? 2 : 2 * PADDING + 1),
                ),
              ),
            }),
          }
        },
      }
    },
  }
}
