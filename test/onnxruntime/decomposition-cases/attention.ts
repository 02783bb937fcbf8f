/** Attention and rotary positions: cases. */
import { float, int } from '../../../runner/engine/onnx/graph.ts'
import { int64s, tensor } from '../../../runner/engine/onnx/tensor.ts'
import { any } from '../gradient-cases/case.ts'
import type { Case } from './case.ts'

const heads = { q_num_heads: int(4), kv_num_heads: int(2) }
const whole = () => [any(2, 2, 3, 4), any(2, 2, 5, 4), any(2, 2, 5, 3)]
const flags = (shape: number[], data: number[]) => tensor('bool', shape, Uint8Array.from(data))

export const attention: Record<string, Case[]> = {
  Attention: [
    { title: '', inputs: whole() },
    { title: 'causal', inputs: whole(), attributes: { is_causal: int(1) } },
    { title: 'with a learned bias', inputs: [...whole(), any(3, 5)] },
    {
      title: 'capped, of shared heads',
      inputs: [any(2, 3, 16), any(2, 5, 8), any(2, 5, 6)],
      attributes: { ...heads, softcap: float(0.5) },
    },
    {
      title: 'with a length for each example, in a window',
      inputs: whole(),
      settings: [null, null, null, int64s([2], [5, 3])],
      attributes: { is_causal: int(1), left_window_size: int(1) },
    },
    {
      title: 'where a query sees nothing',
      inputs: whole(),
      settings: [flags([3, 5], [1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])],
    },
  ],
  RotaryEmbedding: [
    { title: '', inputs: [any(2, 2, 3, 4), any(2, 3, 2), any(2, 3, 2)] },
    {
      title: 'of neighbours, in a part, by place',
      inputs: [any(2, 3, 12), any(6, 2), any(6, 2)],
      attributes: { num_heads: int(2), interleaved: int(1), rotary_embedding_dim: int(4) },
      settings: [int64s([2, 3], [0, 1, 2, 3, 4, 5])],
    },
  ],
}
