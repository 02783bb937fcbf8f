/** Sampling at computed places: cases. Places keep away from where an index changes. */
import { int, string } from '../../../runner/engine/onnx/graph.ts'
import { floats, int64s } from '../../../runner/engine/onnx/tensor.ts'
import { any } from '../gradient-cases/case.ts'
import type { Input } from '../gradient-check.ts'
import { uniforms } from '../uniform.ts'
import type { Case } from './case.ts'

/** Places [n, ...result, extents] up to `reach` times the map away from its middle, between entries of each axis: those lie at
 *  whole numbers, halves are where the nearest changes. */
function places(n: number, result: number[], map: number[], align: boolean, reach = 1): Input {
  const shape = [n, ...result, map.length]
  const count = shape.reduce((product, extent) => product * extent, 1)
  const drawn = uniforms(77, count)
  const data = Float32Array.from(drawn, (u, i) => {
    const extent = map[map.length - 1 - (i % map.length)]!
    const quarter = Math.floor(u * 4 * extent * reach) / 4
    const place = Math.floor(quarter) + (quarter % 1 < 0.5 ? 0.2 : 0.7) + Math.round(((1 - reach) * extent) / 2)
    return align ? (2 * place) / (extent - 1) - 1 : (2 * place + 1) / extent - 1
  })
  return { shape, data }
}

const modes = ['linear', 'nearest', 'cubic'].flatMap((mode) =>
  ['zeros', 'border', 'reflection'].flatMap((padding) =>
    [false, true].map((align): Case => {
      const grid = places(2, [3, 4], [4, 5], align, 1.6)
      // The nearest is the same for all places nearby: they have no gradient.
      const fixed = mode === 'nearest'
      return {
        title: `${mode}, ${padding}${align ? ', corners aligned' : ''}`,
        inputs: [any(2, 3, 4, 5), ...(fixed ? [] : [grid])],
        settings: fixed ? [floats(grid.shape, grid.data)] : [],
        attributes: { mode: string(mode), padding_mode: string(padding), align_corners: int(Number(align)) },
        kernel: true,
      }
    }),
  ),
)

export const sampling: Record<string, Case[]> = {
  GridSample: [
    ...modes,
    {
      title: 'of volumes',
      inputs: [any(1, 2, 3, 4, 5), places(1, [2, 3, 2], [3, 4, 5], false)],
      attributes: { mode: string('linear'), padding_mode: string('border') },
      kernel: true,
    },
  ],
  AffineGrid: [
    { title: '', inputs: [any(2, 2, 3)], settings: [int64s([4], [2, 3, 4, 5])] },
    {
      title: 'of volumes',
      inputs: [any(1, 3, 4)],
      settings: [int64s([5], [1, 2, 3, 4, 2])],
      attributes: { align_corners: int(1) },
    },
  ],
}
