/** A method of one file as a method like all others: its parameters are checked here, its `run` runs in a sandbox. */
import { z } from 'zod'
import { taskNamed } from '../../schema/task.ts'
import type { Context } from '../science/method.ts'
import { defineMethod, type MethodDefinition } from '../science/method.ts'
import { type ClassifierTypes, onClassification } from '../science/tasks/classification/vocabulary.ts'
import { MethodFault } from './fault.ts'
import { LIMITS, type Limits } from './limits.ts'
import { descriptions, paramsOf } from './params.ts'
import { placeOfPath } from './places.ts'
import { describedIn, type Loaded, runInside } from './session.ts'
import { javaScriptOf, type MethodSource } from './source.ts'

/** Raised when the same file comes to other numbers than before. */
const VERSION = 1

const description = z.strictObject({
  // Of a built-in method: a file has its hash in place of a version, and its mark in charts follows from its name.
  version: z.literal(true).optional(),
  mark: z.literal(true).optional(),
  title: z.string().trim().min(1).max(40),
  summary: z.string().trim().min(1).max(300).regex(/\.$/, 'expected one sentence that ends with a full stop'),
  paper: z.strictObject({ title: z.string().min(1).max(200), url: z.url({ protocol: /^https$/ }).max(300) }).nullish(),
  on: z.strictObject(
    {
      classification: z.strictObject({
        params: descriptions.default({}),
        search: z.record(z.string(), z.string().max(100)).optional(),
        requests: z
          .array(z.enum(taskNamed('classification').requests))
          .min(1)
          .optional(),
        runs: z.literal(true, { error: 'expected a function `run`' }),
      }),
    },
    { error: 'expected { classification: … }, the one task that a method of one file can do so far' },
  ),
})

/** Throws MethodFault, with a line for everything that is wrong. */
export async function openMethod(
  source: MethodSource,
  { log = () => {}, limits = LIMITS }: { log?: (line: string) => void; limits?: Limits } = {},
): Promise<MethodDefinition> {
  const { file, text: written, sha256 } = source
  const loaded: Loaded = { file, text: javaScriptOf(source), limits }
  const { description: found } = await describedIn(loaded)
  const said = description.safeParse(found ?? undefined)
  if (!said.data) {
    const lines = said.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path
      const what =
        path.length === 0 ? 'expected `export default defineMethod({ … })`' : `${path.join('.')}: ${issue.message}`
      return `${file}:${placeOfPath(written, path)}: ${what}`
    })
    throw new MethodFault('description', lines.join('\n'))
  }
  const { title, summary, paper = null, on } = said.data
  const { params, search, requests } = on.classification
  return defineMethod({
    ...{ title, summary, paper, version: VERSION, source: sha256 },
    on: {
      classification: onClassification({
        params: paramsOf(params),
        ...(search && { search }),
        ...(requests && { requests }),
        run: (context: Context<ClassifierTypes, Record<string, unknown>>) => runInside(loaded, context, log),
      }),
    },
  })
}
