/** Whether a stored file can be the path of its stage. That its values are those of the weights along the way is its runner's word:
 *  nobody keeps these weights. */
import { describeIssues } from '../../../schema/issues.ts'
import { MOST_PATH_BYTES, path } from '../../../schema/path.ts'
import type { StageSpec } from '../../../schema/stage.ts'
import { taskNamed } from '../../../schema/task.ts'

/** Tells what is wrong with it, or null. */
export async function pathProblem(
  store: R2Bucket,
  { path: at, bytes }: { path: string; bytes: number },
  stage: StageSpec,
): Promise<string | null> {
  if (bytes > MOST_PATH_BYTES) return `expected at most ${MOST_PATH_BYTES} bytes, got ${bytes}`
  const object = await store.get(at)
  if (!object) throw new Error(`the object ${at} is missing in storage`)
  const content = jsonOf(await object.text())
  if (content === undefined) return 'expected JSON'
  const { data, error } = path.safeParse(content)
  if (error) return describeIssues(error, content)
  const { along = [] } = taskNamed(stage.task)
  const identities = Object.values(data.metrics)
  const fits = identities.length === along.length && along.every((named) => identities.includes(named))
  return fits ? null : `expected the metrics ${along.join(', ')}, got ${identities.join(', ') || 'none'}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
