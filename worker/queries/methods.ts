/** Methods as API and pages describe them. */
import { z } from 'zod'
import type { Method } from '../../schema/api/method.ts'
import { methodOf, methods } from '../catalogue.ts'

export function describeMethod(id: string): Method {
  const { title, summary, paper, version, trainsOn, params } = methodOf(id)
  const { $schema, ...schema } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' })
  return { id, title, summary, paper, version, trainsOn: trainsOn ?? null, params: schema }
}

export const listMethods = (): Method[] => [...methods.keys()].map(describeMethod)
