/** The sources of members of this house, each as one hash: its file, and what that imports of its own folder. A method, model, dataset
 *  or metric that was edited then comes to new numbers on this machine at once; its `version`, or the task's engine version, is what
 *  tells everyone else. What members share outside their folders has the engine version only: a hash of all would throw everything
 *  away with every edit. */
import { dirname, join, relative } from 'node:path'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { EXPORTED } from '../../schema/parts/model-file.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { readIfPresent } from '../store/read.ts'

const runner = dirname(import.meta.dirname)
const METHODS = join(runner, 'science/methods')
const DATASETS = join(runner, 'data/datasets')
const ARCHITECTURES = ['models', 'denoisers'].map((folder) => join(runner, 'engine/nn', folder))
/** Of a model that is a file: what makes a network of it, and how that begins. */
const READING = join(runner, 'engine/reading')
const metricsOf = (task: string) => join(runner, 'science/tasks', task, 'metrics')

/** Of what a stage is computed by; null for a member that has no file of its own. */
export async function sourcesOf(spec: StageSpec): Promise<Record<string, unknown>> {
  return {
    dataset: await sourceOf(DATASETS, spec.dataset.id),
    model: await modelSources(spec.model.id),
    ...(spec.kind === 'unlearn' && { method: await sourceOf(METHODS, spec.method.id) }),
  }
}

const modelSources = (id: string): Promise<(string | null)[]> =>
  Promise.all(
    id === EXPORTED
      ? ['read', 'initializers'].map((part) => sourceOf(READING, part))
      : ARCHITECTURES.map((folder) => sourceOf(folder, id)),
  )

/** Of metrics, by id. */
export async function metricSources(task: string, ids: readonly string[]): Promise<Record<string, string>> {
  const found = await Promise.all(ids.map(async (id) => ({ id, source: await sourceOf(metricsOf(task), id) })))
  return Object.fromEntries(found.flatMap(({ id, source }) => (source === null ? [] : [[id, source]])))
}

/** Of one member of a folder; null where it has no file. */
export async function sourceOf(folder: string, id: string): Promise<string | null> {
  const files = new Map<string, string>()
  await gather(join(folder, `${id}.ts`), folder, files)
  if (files.size === 0) return null
  const named = [...files].map(([path, hash]) => [relative(folder, path), hash])
  return await sha256Hex(canonicalJson(Object.fromEntries(named)))
}

async function gather(path: string, folder: string, files: Map<string, string>): Promise<void> {
  if (files.has(path)) return
  const bytes = await readIfPresent(path)
  if (!bytes) return
  const text = new TextDecoder().decode(bytes)
  files.set(path, await sha256Hex(text))
  for (const [, target] of text.matchAll(/from '(\.[^']+)'/g)) {
    const imported = join(dirname(path), target!)
    if (!relative(folder, imported).startsWith('..')) await gather(imported, folder, files)
  }
}
