/** Whether runs can be looked at along the way, told before anything is computed: by a command, and by a server that is asked. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Every } from '../../../schema/stage.ts'
import { taskNamed } from '../../../schema/task.ts'
import { isReference, titleOf } from './catalogue.ts'

/** In words; null where they can, or nobody asks. A training among other methods simply has no path. */
export function everyFault(
  { slug, task }: Pick<Benchmark, 'slug' | 'task'>,
  methods: readonly string[],
  every: Every | undefined,
): string | null {
  if (every === undefined) return null
  const { along = [], title } = taskNamed(task.id)
  if (along.length === 0)
    return `every: ${slug} can't be looked at along the way, since metrics of ${title.toLowerCase()} take stages of their own; leave it out`
  if (methods.length > 0 && methods.every(isReference))
    return `every: ${methods.map(titleOf).join(', ')} trains from scratch, which is no way from the original; leave it out`
  return null
}
