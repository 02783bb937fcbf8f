/** Methods as API and pages describe them. */
import { z } from 'zod'
import { type MethodDefinition, paramsFor, type Task } from '../../../runner/science/method.ts'
import type { Method } from '../../../schema/api/method.ts'
import { methodOf, methods } from '../../http/catalogue.ts'

function schemaOf(method: MethodDefinition, task: Task): Record<string, unknown> | null {
  const params = paramsFor(method, task)
  if (!params) return null
  const { $schema, ...schema } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' })
  return schema
}

export function describeMethod(id: string): Method {
  const method = methodOf(id)
  const { title, summary, paper, version, trainsOn } = method
  return {
    id,
    title,
    summary,
    paper,
    version,
    trainsOn: trainsOn ?? null,
    params: schemaOf(method, 'classification'),
    generationParams: schemaOf(method, 'generation'),
  }
}

export const listMethods = (): Method[] => [...methods.keys()].map(describeMethod)
