/** Methods as API and pages describe them. */
import { offeredBy } from '../../../runner/science/catalogue/catalogue.ts'
import { schemaOf } from '../../../runner/science/parameters.ts'
import type { Method } from '../../../schema/api/method.ts'
import { methodOf, methods } from '../../http/catalogue.ts'

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
    on: Object.fromEntries(offeredBy(method).map(({ task, params }) => [task, schemaOf(params)])),
  }
}

export const listMethods = (): Method[] => [...methods.keys()].map(describeMethod)
