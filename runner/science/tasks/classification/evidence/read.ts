/** A classifier's answers as other software saves them: sets may be missing, numbers of any precision. Pure. */
import type { Arrays } from '../../../../formats/arrays.ts'
import { ArraysError } from '../../../../formats/numbers.ts'
import { type Picker, pickFrom } from '../../../../formats/pick.ts'
import type { Answers, Evidence } from './evidence.ts'
import { probedIn, probedNames } from './probed-codec.ts'

const sets = ['forget', 'retain', 'test'] as const
const SEVERAL = 'forgottenClasses'
const names = sets.flatMap((set) => [`${set}.logits`, `${set}.labels`])

/** Throws ArraysError where the file is of another kind. A set that is missing is empty: its metrics say so. */
export function readAnswers(file: Arrays, given: { forgottenClass?: number | undefined } = {}): Evidence {
  const picked = pickFrom(file, [...names, ...probedNames, 'classes', 'forgottenClass', SEVERAL])
  const { has, floats, labels, whole } = picked
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
  const several = given.forgottenClass === undefined ? severalOf(picked) : []
  const strange = [forgottenClass ?? 0, ...several].find((label) => label >= Math.max(classes, 1))
  if (strange !== undefined) {
    throw new ArraysError(`expected a forgottenClass below ${classes}, the number of classes, got ${strange}`)
  }
  const test = answers('test')
  const fail = (message: string): never => {
    throw new ArraysError(message)
  }
  const probed = probedIn({ has, floats, wholes: labels, fail }, { classes, tests: test.labels.length })
  return {
    ...{ classes, forget: answers('forget'), retain: answers('retain'), test },
    forgottenClass,
    ...(several.length > 0 && { forgottenClasses: several }),
    ...(probed && { probed }),
  }
}

/** Classes of a request that names several: an array, or metadata such as `1,3`. */
function severalOf({ has, labels, text }: Picker): number[] {
  if (has(SEVERAL)) return Array.from(labels(SEVERAL))
  return (text(SEVERAL)?.split(',') ?? []).map((word) => {
    if (/^\d{1,3}$/.test(word)) return Number(word)
    throw new ArraysError(`${SEVERAL}: expected labels such as 1,3, got "${text(SEVERAL)}"`)
  })
}
