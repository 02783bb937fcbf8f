/** Ops that draw: refused, since onnxruntime's draws are not those of the run's seed, and no two runs would be alike. */
import { describe } from '../onnx/graph.ts'
import type { Decomposition } from './parts/decomposition.ts'

const refused: Decomposition = ({ node }) => {
  throw new Error(
    `${describe(node)} draws random numbers that can't follow the run's seed; export the model for inference, where nothing is drawn`,
  )
}

export {
  refused as Bernoulli,
  refused as Multinomial,
  refused as RandomNormal,
  refused as RandomNormalLike,
  refused as RandomUniform,
  refused as RandomUniformLike,
}
