/** Identities of metrics: `<base>;<key>=<value>;...`, where the base is what a benchmark names. */

const words: Record<string, string> = {
  judge: 'judge',
  accuracy: "the judge's test accuracy",
  n: 'generated images',
  m: 'real images',
  dim: 'dimensions',
  pre: 'preprocessing',
  weights: "the extractor's weights",
  ref: 'features of the real images',
  'small-n': 'fewer images than dimensions',
}

export const baseOf = (identity: string): string => identity.split(';')[0]!

/** What stands after the base, by key; a flag such as `small-n` has no value. */
export const factsOf = (identity: string): Map<string, string> =>
  new Map(
    identity
      .split(';')
      .slice(1)
      .map((fact) => {
        const [key = '', ...value] = fact.split('=')
        return [key, value.join('=')] as const
      }),
  )

/** Hashes are told apart by their first digits. */
const brief = (value: string) => (/^[0-9a-f]{16,}$/.test(value) ? value.slice(0, 8) : value)

/** What sets an identity apart from the usual one, such as `generated images: 45 instead of 450`; empty where they are equal. */
export function differenceFrom(usual: string, identity: string): string[] {
  const [expected, found] = [factsOf(usual), factsOf(identity)]
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((key) => {
    const [a, b] = [expected.get(key), found.get(key)]
    if (a === b) return []
    const name = words[key] ?? key
    if ((a ?? b) === '') return [b === undefined ? `not: ${name}` : name]
    return [`${name}: ${brief(b ?? 'none')} instead of ${brief(a ?? 'none')}`]
  })
}

/** Whether a value is biased because there are no more images than dimensions. */
export const isSmall = (identity: string): boolean => factsOf(identity).has('small-n')
