/** Methods as API and pages describe them. */
import { offeredBy } from '../../../runner/science/catalogue/catalogue.ts'
import type { MethodDefinition, Task } from '../../../runner/science/method.ts'
import { schemaOf } from '../../../runner/science/parameters.ts'
import type { Method } from '../../../schema/api/method.ts'
import { methodOf, methods } from '../../http/catalogue.ts'

function paramsFor(method: MethodDefinition, task: Task): Record<string, unknown> | null {
  const offer = offeredBy(method).find((offer) => offer.task === task)
  return offer ? schemaOf(offer.params) : null
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
    params: paramsFor(method, 'classification'),
    generationParams: paramsFor(method, 'generation'),
  }
}

export const listMethods = (): Method[] => [...methods.keys()].map(describeMethod)
