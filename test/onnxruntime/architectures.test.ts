/** A server knows the same models by name as the runners that train them. */
import { expect, test } from 'vitest'
import { architectures } from '../../runner/engine/nn/architectures/architectures.ts'
import { runnerTasks } from '../../runner/pipeline/tasks.ts'

test.each([...runnerTasks])('a benchmark of %s can name the same models at a server as at a runner', (id, task) => {
  expect(Object.entries(architectures[id]!)).toEqual(Object.entries(task.architectures))
})
