/** Crop and flip inside the graph, against the same moves done by hand. */
import { expect, test } from 'vitest'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { int64s, numbersOf, tensor } from '../../runner/engine/onnx/tensor.ts'
import { cropAndFlip } from '../../runner/engine/training/augment.ts'

/** One grey 2x3 image, cropped at (down, right) of its padded self and then mirrored or not. */
async function augmented(draws: [down: number, right: number, flip: number]): Promise<number[]> {
  const graph = newGraph()
  const images = addInput(graph, 'images', 'uint8', [1, 1, 2, 3])
  addOutput(graph, 'seen', cropAndFlip(opsFor(graph), images, addInput(graph, 'draws', 'int64', [1, 3])))
  const session = await openSession(graph)
  const { seen } = await session.run({
    images: tensor('uint8', [1, 1, 2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)),
    draws: int64s([1, 3], draws),
  })
  await session.release()
  return numbersOf(seen!)
}

// Padding is 4, so an offset of (4, 4) shows the image where it was.
test.each([
  { draws: [4, 4, 0], seen: [1, 2, 3, 4, 5, 6], says: 'the middle offset leaves the image as it is' },
  { draws: [4, 4, 1], seen: [3, 2, 1, 6, 5, 4], says: 'a flip mirrors its columns' },
  { draws: [5, 4, 0], seen: [4, 5, 6, 0, 0, 0], says: 'one row further down, the last row is padding' },
  { draws: [4, 3, 0], seen: [0, 1, 2, 0, 4, 5], says: 'one column to the left, the first column is padding' },
  { draws: [4, 3, 1], seen: [2, 1, 0, 5, 4, 0], says: 'the crop comes before the flip' },
  { draws: [0, 0, 0], seen: [0, 0, 0, 0, 0, 0], says: 'the outermost offset shows only padding' },
] as const)('$says', async ({ draws, seen }) => {
  expect(await augmented([...draws])).toEqual(seen)
})
