/** What `palimpsest model check` prints. */
import type { CheckedModel, ListedTensor } from '../pipeline/check-model.ts'
import { byteSize, count, duration, plural, significant } from '../words/numbers.ts'
import { print, styledData } from './output.ts'
import { table } from './table.ts'

type Described = CheckedModel['about']['inputs'][number]

const shapeWords = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`
const described = ({ name, type, shape }: Described): string => `${name} ${shapeWords(shape)} ${type}`

export function printModel(checked: CheckedModel, { all = false }: { all?: boolean }): void {
  const { path, bytes, about, beside, bytesBeside, images, classes, trains, statistics, decisions, step } = checked
  const opsets = Object.entries(about.opsets).map(([domain, version]) => `${domain} ${version}`)
  const sum = (tensors: ListedTensor[]) => tensors.reduce((total, { numbers }) => total + numbers, 0)
  const rows: [string, string[]][] = [
    ['File', [`${path}, ${byteSize(bytes)}`, `SHA-256 ${checked.model.sha256}`]],
    ['Beside it', beside.flatMap(({ name, sha256 }) => [name, `SHA-256 ${sha256}`])],
    ['', beside.length > 0 ? [`${byteSize(bytesBeside)} in all`] : []],
    [
      'Written by',
      [
        `${about.producer || 'a program that does not say'}; opset ${opsets.join(', ')}; ${plural(about.nodes, 'node')}`,
      ],
    ],
    ['Inputs', about.inputs.map(described)],
    ['Outputs', about.outputs.map(described)],
    [
      'Images',
      [
        `${shapeWords(images)}, channels first, pixels in [0, 1] as they are: where the file does not`,
        'normalise them itself, name what does under "normalization"',
      ],
    ],
    ['Classes', [`${classes}`]],
    ['Trains', [`${plural(trains.length, 'tensor')}, ${plural(sum(trains), 'number')}`]],
    ['Statistics', [statistics.length === 0 ? 'none' : `${plural(statistics.length, 'tensor')} of batch norm`]],
    ['One step', stepLines(step)],
    ['Decisions', decisions.length === 0 ? ['none were needed'] : [...decisions]],
  ]
  for (const [title, lines] of rows)
    for (const [at, line] of lines.entries()) print(`${(at === 0 ? title : '').padEnd(12)}${line}`.trimEnd())
  print()
  for (const line of tensorLines([...trains, ...statistics], all)) print(line)
  print()
  print('In a benchmark:')
  print()
  for (const line of JSON.stringify({ model: checked.model }, null, 2).split('\n').slice(1, -1)) print(line)
}

const NAMED = 8

/** The first few names of many. */
export const firstOf = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '')

function stepLines({ images, before, after, gradientNorm, seconds, unmoved }: CheckedModel['step']): string[] {
  return [
    `SGD on ${images} random images: loss ${significant(before, 5)}, then ${significant(after, 5)}; gradient norm ${significant(gradientNorm)}`,
    `${duration(seconds.step)}, after ${duration(seconds.compile)} of compiling`,
    ...(unmoved.length > 0
      ? [`${plural(unmoved.length, 'tensor')} stood still at the weights in the file: ${firstOf(unmoved)}`]
      : []),
  ]
}

/** Rows that differ in nothing but the numbers in their names are one, with their count, unless all are wanted. */
function tensorLines(tensors: ListedTensor[], all: boolean): string[] {
  const groups = Map.groupBy(tensors, ({ name, shape, begins }) =>
    all ? name : JSON.stringify([name.replace(/\d+/g, '*'), shape, begins]),
  )
  const rows = [...groups.values()].map((members) => {
    const [{ name, shape, numbers, begins }] = members as [ListedTensor]
    const one = members.length === 1
    return [
      one ? name : name.replace(/\d+/g, '*'),
      one ? '' : `× ${members.length}`,
      shapeWords(shape),
      count(numbers * members.length),
      begins,
    ]
  })
  const titles = ['Tensor', '', 'Shape', 'Numbers', 'Begins anew'].map((title) => ({
    title,
    ...(title === 'Numbers' && { align: 'right' as const }),
  }))
  const folded = rows.length < tensors.length
  return [
    ...table(titles, rows),
    ...(folded
      ? [styledData('dim', `* stands for a number; --all lists each of ${count(tensors.length)} tensors.`)]
      : []),
  ]
}
