/** Casts to the type of another tensor say the type, so that nothing seems to depend on what that tensor holds. */
import { dataTypeOf } from '../onnx/element-types.ts'
import { int } from '../onnx/graph.ts'
import { addNode, type Building, missing } from './add-node.ts'
import { batchOf, sketch } from './build.ts'
import type { FileNode, Pass } from './file-model.ts'

export const withCasts: Pass = (model) => {
  const isCastLike = ({ op, domain }: FileNode) => op === 'CastLike' && !domain
  if (!model.nodes.some(isCastLike)) return model
  const { ops, building } = sketch(model, batchOf(model))
  const nodes = model.nodes.map((node) => {
    try {
      const cast = isCastLike(node) ? asCast(node, building) : node
      addNode(ops, cast, building)
      return cast
    } catch {
      return node // what is wrong with it is said where the graph is built
    }
  })
  return { ...model, nodes }
}

/** A cast to the type of another tensor, whose content doesn't matter. */
function asCast(node: FileNode, { content, known }: Building): FileNode {
  const [x = '', like = ''] = node.inputs
  const { type } = content.get(like) ?? known.get(like) ?? missing(like)
  return { ...node, op: 'Cast', inputs: [x], attributes: { to: int(dataTypeOf(type)) } }
}
