/** A classifier's answers as other software saves them: sets may be missing, numbers of any precision. Pure. */
import type { Arrays } from '../../../../formats/arrays.ts'
import { ArraysError } from '../../../../formats/numbers.ts'
import { pickFrom } from '../../../../formats/pick.ts'
import type { Answers, Evidence } from './evidence.ts'

const sets = ['forget', 'retain', 'test'] as const
const names = sets.flatMap((set) => [`${set}.logits`, `${set}.labels`])

/** Throws ArraysError where the file is of another kind. A set that is missing is empty: its metrics say so. */
export function readAnswers(file: Arrays, given: { forgottenClass?: number | undefined } = {}): Evidence {
  const { has, floats, labels, whole } = pickFrom(file, [...names, 'classes', 'forgottenClass'])
  if (!names.some(has)) throw new ArraysError(`expected arrays of ${names.join(', ')}, got none of them`)
  const first = sets.find((set) => has(`${set}.logits`))
  const classes = whole('classes') ?? (first === undefined ? 0 : floats(`${first}.logits`).columns)
  const answers = (set: string): Answers => {
    if (!has(`${set}.logits`) && !has(`${set}.labels`))
      return { logits: new Float32Array(0), labels: new Uint8Array(0) }
    const { data, rows } = floats(`${set}.logits`, classes)
    return { logits: data, labels: labels(`${set}.labels`, rows) }
  }
  const forgottenClass = given.forgottenClass ?? whole('forgottenClass')
  if (forgottenClass !== null && forgottenClass >= classes) {
    throw new ArraysError(`expected a forgottenClass below ${classes}, the number of classes, got ${forgottenClass}`)
  }
  return { classes, forget: answers('forget'), retain: answers('retain'), test: answers('test'), forgottenClass }
}
