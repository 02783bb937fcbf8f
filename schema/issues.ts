/** Says in words what zod found wrong: where, what was expected, what came. */
import type { z } from 'zod'

function at(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value)
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`
    case 'too_small':
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${entries(issue.origin)}`
    case 'too_big':
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${entries(issue.origin)}`
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    default:
      return issue.message.replace(/^Invalid \w+: /, '')
  }
}

const entries = (origin: string) =>
  origin === 'string' ? ' characters' : origin === 'array' || origin === 'set' ? ' entries' : ''

/** One line per problem, such as `params.epochs: expected at least 1, got 0`. `prefix` names the part that was checked. */
export function describeIssues(error: z.core.$ZodError, input: unknown, prefix: string[] = []): string {
  return error.issues
    .flatMap((issue) => {
      if (issue.code === 'invalid_key') {
        const [name, parts] = [issue.path.at(-1), [...prefix, ...issue.path.slice(0, -1)]]
        return issue.issues.map(
          (each) => `${parts.join('.') || 'the value'}: ${expectation(each)}, got the key ${shown(name)}`,
        )
      }
      const path = [...prefix, ...issue.path].join('.') || 'the value'
      if (issue.code === 'unrecognized_keys') {
        // A schema that knows what to do about a key begins its message with the key.
        const advice = (key: string) =>
          issue.message.startsWith(`${key}: `)
            ? issue.message.slice(key.length + 2)
            : 'unknown, remove it or check its spelling'
        return issue.keys.map((key) => `${[...prefix, ...issue.path, key].join('.')}: ${advice(key)}`)
      }
      return [`${path}: ${expectation(issue)}, got ${shown(at(input, issue.path))}`]
    })
    .join('; ')
}
