/** What a trainer finds in a checkpoint is what it was, down to the order of the parameters. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
import { range, toyTrainer } from '../support/toy.ts'

test('weights and importances come back in the order of the parameters, on which flat vectors rest', async () => {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const ask = async () => {
    const trainer = toyTrainer({ checkpoint: checkpointOf(home, 'half', { everyMs: 0 }) })
    const importance = await trainer.importance(fitLabels(range(0, 20), { batchSize: 8 }))
    const weights = await trainer.read()
    await trainer.write(weights)
    const names = trainer.parameters.map(({ name }) => name)
    return { importance, weights, state: trainer.state(), names }
  }
  const first = await ask()
  const again = await ask()
  expect([...again.importance]).toEqual([...first.importance])
  expect([...again.weights]).toEqual([...first.weights])
  expect([...again.importance.keys()]).toEqual(again.names)
  expect([...again.state.keys()]).toEqual([...first.state.keys()])
})
