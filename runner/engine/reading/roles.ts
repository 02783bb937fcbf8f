/** What each tensor of a file is: a parameter, a buffer, or a constant. */
import { sizeOf, type Tensor } from '../onnx/tensor.ts'
import { fixedByNumbers, isOfCode, isUniform, nameKind, namesNear } from './evidence.ts'
import type { FileModel, FileNode, PassContext } from './file-model.ts'
import { listed } from './refusal.ts'
import { type Use, usesOf } from './uses.ts'

export interface Roles {
  /** With copies of tensors that the exporter merged under names of their own. */
  nodes: FileNode[]
  constants: Map<string, Tensor>
  parameters: Map<string, Tensor>
  /** Running means and variances of batch norm. */
  buffers: Map<string, Tensor>
}

interface Verdict {
  trains: boolean
  /** Says what the user reads; null where nobody would doubt it. */
  because: string | null
}

/** Tells trained tensors from constants. A tensor in the place of a weight, a bias or the scale of a norm trains; of others their
 *  names and numbers are asked, and where neither says, the decision names the tensor. Numbers of one entry that the exporter
 *  wrote for numbers in code stay; so do those that are only compared, or are indices and bounds. */
export function rolesOf(model: FileModel, input: string, { options, decide }: PassContext): Roles {
  const separated = apart(model, usesOf(model, input), decide)
  const { nodes } = separated
  const uses = usesOf({ ...model, ...separated }, input)
  const statistics = new Set(nodes.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3) : [])))
  const asked = { train: new Set(options.train), freeze: new Set(options.freeze) }
  const floating = [...separated.constants].filter(([, { type }]) => type === 'float32').map(([name]) => name)
  for (const name of [...asked.train, ...asked.freeze]) {
    const known = separated.constants.get(name)
    if (known?.type !== 'float32')
      throw new Error(
        `expected the name of a float tensor of the model to train or freeze, got ${name}; near it are ${namesNear(name, floating).join(', ')}`,
      )
  }
  for (const name of asked.train) {
    if (asked.freeze.has(name)) throw new Error(`${name} is asked to train and to stay as it is; ask for one`)
    if (statistics.has(name)) throw new Error(`${name} is a running statistic of batch norm, which no gradient reaches`)
    if (!uses.has(name)) throw new Error(`${name} can't train: the logits have no gradient for it`)
  }

  const parameters = new Map<string, Tensor>()
  const said = new Map<string, string[]>()
  for (const [name, own] of uses) {
    const content = separated.constants.get(name)!
    const [use] = own
    if (content.type !== 'float32' || !use) continue
    const verdict = asked.train.has(name)
      ? { trains: true, because: 'trains, as asked' }
      : asked.freeze.has(name)
        ? { trains: false, because: 'stays as it is, as asked' }
        : verdictOn(separated.origins.get(name) ?? name, content, own, model.literals)
    if (verdict.because) said.set(verdict.because, [...(said.get(verdict.because) ?? []), name])
    if (verdict.trains) parameters.set(name, content)
  }
  const tied = separated.tied.filter((name) => parameters.has(name))
  if (tied.length > 0) decide(`${listed(tied)}: used by several nodes and trains as one tensor`)
  for (const name of comparedIn(separated)) {
    if (uses.has(name) || nameKind(name) === 'literal' || nameKind(name) === 'derived') continue
    const because = 'stays as it is: it is only compared, so that the logits have no gradient for it'
    said.set(because, [...(said.get(because) ?? []), name])
  }
  for (const [because, names] of said) decide(`${listed(names)}: ${because}`)
  if (parameters.size === 0)
    throw new Error(
      `no tensor of the model trains; name those that should with --train NAME, of ${listed([...uses.keys()]) || 'which it has none'}`,
    )
  sayEqual(parameters, decide)
  return { nodes, constants: separated.constants, parameters, buffers: buffersOf(separated, parameters) }
}

const HINT_KEEP = '--freeze NAME keeps one as it is'
const HINT_TRAIN = '--train NAME trains one'

/** Decides by place, then by name and numbers. */
function verdictOn(name: string, content: Tensor, uses: readonly Use[], literals: FileModel['literals']): Verdict {
  const { place, op } = uses[0]!
  const single = sizeOf(content.shape) === 1
  const learned = uses.some((use) => use.learned)
  const kind = literals?.has(name) ? 'literal' : nameKind(name)
  const written = kind === 'literal' || kind === 'derived'
  const stays = (because: string | null): Verdict => ({ trains: false, because })
  const trains = (because: string | null): Verdict => ({ trains: true, because })

  // A layer whose state begins at 0 has none to learn.
  if (place === 'state' && kind === 'literal' && content.data[0] === 0 && isUniform(content)) return stays(null)
  const numbers = fixedByNumbers(content, place)
  if (numbers) return stays(`stays as it is: its numbers are ${numbers}; ${HINT_TRAIN}`)
  if (kind === 'fixed' && !(learned && place !== 'weight'))
    return stays(`stays as it is: its name says that it was not learned; ${HINT_TRAIN}`)
  if (learned) {
    const idle = content.data[0] === (place === 'scale' ? 1 : 0) && isUniform(content)
    if (idle && uses.every(({ scaledAgain }) => scaledAgain)) return stays(null)
    const affine = place === 'scale' || (place === 'bias' && op.endsWith('Normalization'))
    if (kind === 'literal' && affine && idle && op !== 'BatchNormalization' && op !== 'Normalization')
      return stays(`stays as it is: the exporter wrote it for a normalization without scale and bias; ${HINT_TRAIN}`)
    // A number without axes is no weight, nor a bias until it is expanded to one, as exporters do for layers without.
    const number = content.shape.length === 0 || (place !== 'weight' && place !== 'bias')
    if (written && single && number) return stays(null)
    return trains(null)
  }
  if (kind === 'learned') {
    const odd = single || uses.some(({ onImages }) => onImages)
    return trains(odd ? `trains, as its name says; ${HINT_KEEP}` : null)
  }
  if (kind === 'literal' && single) return stays(null)
  if (kind === 'derived' && single)
    return stays(`uncertain: stays as it is, a single number that the exporter computed; ${HINT_TRAIN}`)
  if (place === 'exponent') return stays(`uncertain: stays as it is, since it is an exponent; ${HINT_TRAIN}`)
  if (uses.some(({ onImages }) => onImages))
    return stays(`uncertain: stays as it is, since it meets the images before any weight does; ${HINT_TRAIN}`)
  if (kind === 'literal' && isUniform(content))
    return stays(`uncertain: stays as it is, since all its entries are equal and the exporter named it; ${HINT_TRAIN}`)
  if (place === 'data' && kind === 'literal')
    return stays(`uncertain: stays as it is, since a layer is applied to it and the exporter named it; ${HINT_TRAIN}`)
  if (isOfCode(name))
    return stays(`uncertain: stays as it is, since the exporter wrote it as a constant of the code; ${HINT_TRAIN}`)
  return trains(`uncertain: trains, though neither its name nor its place says that it was learned; ${HINT_KEEP}`)
}

const COMPARING = new Set(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'])

/** Float tensors of the file that comparisons take. */
const comparedIn = ({ nodes, constants }: Pick<FileModel, 'nodes' | 'constants'>): Set<string> =>
  new Set(
    nodes.flatMap(({ op, inputs }) =>
      COMPARING.has(op) ? inputs.filter((name) => constants.get(name)?.type === 'float32') : [],
    ),
  )

/** Which of the nodes that take a tensor do so for the same end, by their first outputs: a weight that is standardized first is
 *  taken by several for one. */
function endsOf(uses: readonly Use[]): Map<string, string> {
  const ends = new Map<string, Set<string>>()
  for (const { taker, node } of uses) ends.set(taker, (ends.get(taker) ?? new Set()).add(node))
  return new Map([...ends].map(([taker, nodes]) => [taker, [...nodes].sort().join('\n')]))
}

/** Exporters merge tensors that hold the same numbers, as fresh biases and scales do. Where all entries are equal, each end gets
 *  a copy; a bias stays shared among nodes that share their weight. Others were one tensor in the original, and so were single
 *  numbers that training has moved off 0 and 1. */
function apart(model: FileModel, uses: ReadonlyMap<string, Use[]>, decide: PassContext['decide']) {
  const constants = new Map(model.constants)
  const split = new Map<string, Map<string, string>>()
  const tied: string[] = []
  /** The file's names of copies. */
  const origins = new Map<string, string>()
  const merged = new Map<string, ReadonlyMap<string, string>>()
  for (const [name, own] of uses) {
    const content = constants.get(name)
    const ends = endsOf(own)
    if (content?.type !== 'float32' || new Set(ends.values()).size < 2 || own[0]?.place === 'state') continue
    const single = content.data.length === 1
    if (single && (model.literals?.has(name) || ['literal', 'derived'].includes(nameKind(name)))) continue
    if (isUniform(content) && !(single && content.data[0] !== 0 && content.data[0] !== 1)) merged.set(name, ends)
    else tied.push(name)
  }
  const nodes = model.nodes.map((node) => {
    const partner = node.inputs.find((name) => tied.includes(name)) ?? tiedBefore(model, node, tied)
    const inputs = node.inputs.map((name) => {
      const end = merged.get(name)?.get(node.outputs[0] ?? '')
      if (end === undefined) return name
      const heirs = split.get(name) ?? new Map<string, string>()
      split.set(name, heirs)
      const key = partner ?? end
      const known = heirs.get(key)
      if (known !== undefined) return known
      const copy = `${name} of ${node.name}`
      const own = heirs.size === 0 ? name : constants.has(copy) ? `${name} of ${node.outputs[0]}` : copy
      heirs.set(key, own)
      constants.set(own, constants.get(name)!)
      if (own !== name) origins.set(own, name)
      return own
    })
    return { ...node, inputs }
  })
  const copied = [...split].filter(([, heirs]) => heirs.size > 1)
  if (copied.length > 0) {
    const copies = copied.map(([name, { size }]) => `${name} (${size})`)
    decide(
      `${listed(copies)}: used by several nodes with all entries equal, as exporters merge what is; each node has its own from here on`,
    )
  }
  return { nodes, constants, origins, tied }
}

/** The shared weight of the MatMul whose result a node adds to. */
function tiedBefore({ nodes }: FileModel, { op, inputs }: FileNode, tied: readonly string[]): string | undefined {
  if (op !== 'Add' || tied.length === 0) return undefined
  const before = nodes.find(({ op, outputs }) => op === 'MatMul' && outputs.some((output) => inputs.includes(output)))
  return before?.inputs.find((name) => tied.includes(name))
}

/** Weights that hold the same numbers may have been one tensor before the exporter wrote it twice. */
function sayEqual(parameters: ReadonlyMap<string, Tensor>, decide: PassContext['decide']): void {
  const seen = new Map<string, [string, Tensor][]>()
  for (const [name, content] of parameters) {
    const { data } = content
    if (data.length < 2 || isUniform(content)) continue
    const key = `${data.length} ${data[0]} ${data[1]} ${data.at(-1)}`
    const twin = seen.get(key)?.find(([, other]) => data.every((entry, i) => entry === other.data[i]))
    if (twin) decide(`${twin[0]} and ${name} hold the same numbers, but are two tensors in the file; they train apart`)
    else seen.set(key, [...(seen.get(key) ?? []), [name, content]])
  }
}

/** A buffer that was equal to another tensor on export, and so is one with it in the file, becomes one of its own: that of another
 *  batch norm, or a scale or bias. Changes the nodes that share. */
function buffersOf(
  { nodes, constants }: Pick<FileModel, 'nodes' | 'constants'>,
  parameters: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const buffers = new Map<string, Tensor>()
  const isFree = (name: string) => !buffers.has(name) && !parameters.has(name)
  for (const { op, name, inputs } of nodes) {
    if (op !== 'BatchNormalization') continue
    for (const [index, kind] of [
      [3, 'mean'],
      [4, 'variance'],
    ] as const) {
      const own = inputs[index] ?? ''
      const content = constants.get(own)
      if (!content)
        throw new Error(`BatchNormalization (node ${name}) computes its running statistics; export them as tensors`)
      const names = [own, `${own} of ${name}`, `${own}, ${kind} of ${name}`]
      inputs[index] = names.find(isFree) ?? `${own}, ${kind} ${buffers.size} of ${name}`
      buffers.set(inputs[index], content)
    }
  }
  return buffers
}
