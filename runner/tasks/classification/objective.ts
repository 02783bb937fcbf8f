/** What the engine must know of a classifier to train it: how its batches are gathered, and how it answers. */

import { residentImages } from '../../engine/nn/executor.ts'
import { featuresBefore } from '../../engine/nn/extract.ts'
import type { Network } from '../../engine/nn/network.ts'
import { addInput, type Value } from '../../engine/onnx/graph.ts'
import { floats, int64s, tensor } from '../../engine/onnx/tensor.ts'
import { cropAndFlip, DRAWS, PADDING } from '../../engine/training/augment.ts'
import type { Net, Objective, Use } from '../../engine/training/objective.ts'
import type { Split } from '../../science/dataset.ts'
import { ExpressionError } from '../../science/expression.ts'
import { classifierValues } from '../../science/tasks/classification/values.ts'
import type { ClassifierTypes, Images } from '../../science/tasks/classification/vocabulary.ts'

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
  augment: boolean
  /** Images that follow those. */
  beside?: number
  /** Numbers drawn with each image. */
  uniforms?: number
  /** Whether a number comes with each image. */
  factors?: true
}

/** Numbers of `uniform` lie in the middle of so many equal parts of (0, 1): each is exact in single precision, none is an end. */
const PARTS = 1 << 23

export function classifierObjective({ network, train, augment }: ClassifierOptions): Objective<ClassifierTypes> {
  const { parameters, buffers, inputShape } = network
  const resident = residentImages(train.images, inputShape)
  const nameOf = ({ own }: Pick<Shape, 'own'>, k: number) => (own ? `images.${k}` : 'images')
  // A mask looks at what training looks at, as in SalUn's released code.
  const augments = (use: Use) => augment && use !== 'values'
  const countOf = (from: Images | undefined) => from?.labels.length ?? train.count
  return {
    parameters,
    buffers,
    values: classifierValues,
    population: ({ items }) => items.length,
    batchSize: ({ batchSize }) => batchSize,
    shapeOf: ({ from, beside, uniforms, factors }, use) => ({
      images: countOf(from),
      own: !!from,
      augment: augments(use),
      ...(beside && { beside: beside.labels.length }),
      ...(uniforms !== undefined && { uniforms }),
      ...(factors && { factors: true }),
    }),
    declare(graph, k, { batch, on, loss }) {
      const { images: count, own, augment, beside, uniforms, factors } = on as unknown as Shape
      const name = nameOf({ own }, k)
      // Terms share the training set.
      const images =
        graph.inputs.find((input) => input.name === name) ?? addInput(graph, name, 'uint8', [count, ...inputShape])
      const plan = addInput(graph, `items.${k}`, 'int64', [-1, batch])
      const targets = loss.nodes.some(({ op }) => op === 'labels')
        ? addInput(graph, `labels.${k}`, 'int64', [-1, batch])
        : null
      const draws = augment ? addInput(graph, `draws.${k}`, 'int64', [-1, batch, DRAWS]) : null
      const others = beside === undefined ? null : addInput(graph, `beside.${k}`, 'float32', [beside, ...inputShape])
      const uniform = uniforms === undefined ? null : addInput(graph, `uniform.${k}`, 'float32', [-1, batch, uniforms])
      const factor = factors ? addInput(graph, `factors.${k}`, 'float32', [-1, batch]) : null
      return (ops, iteration) => {
        let pixels: Value | undefined
        const seen = () => {
          if (!pixels) {
            const at = ops.Gather(plan, iteration)
            const whole = ops.Gather(images, others ? ops.Min(at, count - 1) : at)
            const cropped = draws ? cropAndFlip(ops, whole, ops.Gather(draws, iteration)) : whole
            pixels = ops.Mul(ops.Cast(cropped, 'float32'), 1 / 255)
            if (others) {
              const follows = ops.Reshape(ops.Greater(at, count - 1), [batch, ...inputShape.map(() => 1)])
              pixels = ops.Where(follows, ops.Gather(others, ops.Max(ops.Sub(at, count), 0)), pixels)
            }
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
            case 'uniform':
              if (uniform) return ops.Gather(uniform, iteration)
              throw new ExpressionError('uniform: expected a batch with `uniforms`, got one without')
            case 'factor':
              if (factor) return ops.Gather(factor, iteration)
              throw new ExpressionError('factor: expected a batch with `factors`, got one without')
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
    draw({ items, labels, from, beside, uniforms, factors }, { k, use, running }) {
      const truth = from?.labels ?? train.labels
      const count = countOf(from)
      const labelOf = (item: number) => (item < count ? truth[item]! : beside!.labels[item - count]!)
      return {
        feeds: {
          [nameOf({ own: !!from }, k)]: from ? residentImages(from.images, inputShape) : resident,
          ...(beside && { [`beside.${k}`]: floats([beside.labels.length, ...inputShape], beside.images) }),
        },
        async stepFeeds({ steps, batch, positions }) {
          // Each term has its own, so that it doesn't matter how many steps go in one call.
          const own = (purpose: string) => running(k === 0 ? purpose : `${purpose}.${k}`)
          const draws = own('augment')
          const label = (position: number) => (labels ? labels[position]! : labelOf(items[position]!))
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
            ...(factors && {
              [`factors.${k}`]: floats(
                [steps, batch],
                Float32Array.from(positions, (at) => factors[at]!),
              ),
            }),
            ...(augments(use) && {
              [`draws.${k}`]: int64s(
                [steps, batch, DRAWS],
                Array.from({ length: steps * batch * DRAWS }, (_, i) =>
                  draws.integer(i % DRAWS === 2 ? 2 : 2 * PADDING + 1),
                ),
              ),
            }),
            ...(uniforms !== undefined && {
              [`uniform.${k}`]: floats(
                [steps, batch, uniforms],
                Float32Array.from(
                  { length: steps * batch * uniforms },
                  () => (own('uniform').integer(PARTS) + 0.5) / PARTS,
                ),
              ),
            }),
          }
        },
      }
    },
  }
}
