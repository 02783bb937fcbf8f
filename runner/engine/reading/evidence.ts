/** What a tensor's name and numbers say about whether it was learned. */
import { sizeOf, type Tensor } from '../onnx/tensor.ts'

/** `literal` was written by the exporter for a number in code, `derived` for what it computed ahead, maybe from a weight. */
export type NameKind = 'literal' | 'derived' | 'fixed' | 'learned' | 'unknown'

const LITERAL =
  /^(val_\d+|_?const(ant)?[\w.]*|(c_)?lifted_tensor[\w.]*|_tensor_constant\w*|scalar_tensor\w*|(full|zeros|ones|arange|empty)(_like)?(_\w+)*|\d+)$|[/:](\w*_)?const(ant)?(_\d+)*(_output_\d+)?(:\d+)?$/i
const DERIVED =
  /[/:]|^(expand|unsqueeze|squeeze|view|reshape|transpose|permute|slice|select|cat|clone|repeat|mul|add|sub|div|t|getitem|index)(_\d+)*$/
const FIXED =
  /^(.*_)?(mask|mean|std|var|variance|eps|epsilon|running|inv_freq|freqs?|coords?(_table)?|sin|cos|sincos|anchors?|filt|blur|blur_kernel|temperature_init|low|high|threshold)$/i
const LEARNED =
  /^(.*_)?(weights?|bias(es)?|kernel|gamma|beta|alpha|scale|gain|ls\d*|layer_scale\w*|token|tokens|positions?|pos|embed|embedding|embeddings|temperature|lambda|resweight|rezero|p|w|b)(_?\d+)?$/i

/** Whether PyTorch's older exporter wrote it for a tensor in code: what was learned has the name of its module there. */
export const isOfCode = (name: string): boolean => /^\/.*\/Constant(_\d+)?_output_\d+$/.test(name)

/** By the last part of a name, since the parts before are those of modules. */
export function nameKind(name: string): NameKind {
  if (LITERAL.test(name)) return 'literal'
  if (DERIVED.test(name)) return 'derived'
  const last = name.slice(name.lastIndexOf('.') + 1)
  if (FIXED.test(last)) return 'fixed'
  return LEARNED.test(last) ? 'learned' : 'unknown'
}

/** Whether all entries are the same number. */
export const isUniform = ({ data }: Tensor): boolean => {
  const [first] = data
  for (const entry of data) if (entry !== first) return false
  return true
}

/** Whether all entries are 0, or a large negative number that keeps attention out: an additive mask. */
function isMask({ data }: Tensor): boolean {
  let barred = 0
  for (const entry of data) {
    if (entry === 0) continue
    if (entry > -50) return false
    barred++
  }
  return barred > 0 && data.length > 1
}

/** The entries along an axis, for each place on the others. */
function* linesOf({ shape, data }: Tensor, axis: number): Generator<number[]> {
  const extent = shape[axis]!
  const step = sizeOf(shape.slice(axis + 1))
  for (let block = 0; block < data.length; block += extent * step)
    for (let i = 0; i < step; i++) yield Array.from({ length: extent }, (_, k) => Number(data[block + i + k * step]))
}

/** Whether an axis holds sines and cosines of one angle each, so that the squares along it sum to half its length. */
function isSinusoid(tensor: Tensor): boolean {
  const { shape, data } = tensor
  return shape.some((extent, axis) => {
    if (extent < 8 || extent % 2 !== 0 || data.length / extent < 4) return false
    let zeros = 0
    for (const line of linesOf(tensor, axis)) {
      const squares = line.reduce((sum, entry) => sum + entry ** 2, 0)
      // That of the class token may be zero.
      if (squares === 0 ? ++zeros > 1 : Math.abs(squares - extent / 2) > 1e-3 * extent) return false
    }
    return true
  })
}

/** Whether the entries are powers of one number, each once or each twice: wavelengths of sines and cosines. */
function areFrequencies({ shape, data }: Tensor): boolean {
  if (data.length < 8 || !shape.includes(data.length)) return false
  const all = Array.from(data, Number)
  const twice = all.every((entry, i) => i % 2 === 0 || entry === all[i - 1])
  const each = twice ? all.filter((_, i) => i % 2 === 0) : all
  const ratio = each[1]! / each[0]!
  return (
    Math.abs(ratio - 1) > 1e-3 && each.every((entry, i) => i === 0 || Math.abs(entry / each[i - 1]! / ratio - 1) < 1e-3)
  )
}

/** Whether every output channel of a filter holds the same numbers, as a blur does and no trained layer. */
function isBlur({ shape, data }: Tensor): boolean {
  const [filters = 1] = shape
  const size = data.length / filters
  if (shape.length < 3 || filters < 2 || data.every((entry) => entry === 0)) return false
  return data.every((entry, i) => entry === data[i % size])
}

/** What the numbers of a tensor say, where they say that it was never learned. */
export function fixedByNumbers(tensor: Tensor, place: string): string | null {
  if (areFrequencies(tensor)) return 'the wavelengths of sines and cosines'
  if (place === 'weight' && isBlur(tensor)) return 'the same filter for every channel'
  if (place === 'weight' || place === 'scale') return null
  if (isMask(tensor)) return 'an additive mask'
  return isSinusoid(tensor) ? 'a table of sines and cosines' : null
}

/** Names of the list that a wrong one may have meant, likeliest first. */
export function namesNear(wrong: string, names: Iterable<string>): string[] {
  const pieces = (name: string) =>
    new Set(Array.from({ length: Math.max(1, name.length - 1) }, (_, i) => name.slice(i, i + 2)))
  const own = pieces(wrong.toLowerCase())
  const score = (name: string) => {
    const other = pieces(name.toLowerCase())
    return (2 * [...own].filter((piece) => other.has(piece)).length) / (own.size + other.size)
  }
  return [...names]
    .map((name) => [score(name), name] as const)
    .sort(([a], [b]) => b - a)
    .slice(0, 3)
    .map(([, name]) => name)
}
