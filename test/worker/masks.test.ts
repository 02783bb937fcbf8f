/** The mask of a run on its page: counted from what is stored, whatever the parameters say. */
import { expect, test } from 'vitest'
import { encodeMask } from '../../runner/formats/mask.ts'
import { ask, finish, lease, leave, read, runner, submit, submitter, upload, useSubmitterAndRunner } from './support.ts'

useSubmitterAndRunner('ada')

/** Works off a run whose unlearning leaves these bytes as its mask, and gives the run's page. */
async function pageWith(mask: Uint8Array<ArrayBuffer>): Promise<string> {
  const { runs } = await submit(submitter, { method: 'salun', params: { density: 0.5 }, seeds: [0] })
  for (let job = await lease(runner); job; job = await lease(runner)) {
    const isUnlearning = job.spec.kind === 'unlearn'
    const extra = isUnlearning ? { 'mask.safetensors': await upload(job, mask) } : {}
    await read(await finish(job, { artifacts: { ...(await leave(job)), ...extra } }))
  }
  return (await ask(`/runs/${runs[0]!.id}`)).text()
}

test('shows how many weights were free, and links the bits', async () => {
  const entries = Uint8Array.from({ length: 10 }, (_, i) => Number(i < 3))
  const page = await pageWith(encodeMask([{ name: 'fc.weight', shape: [2, 5], entries }]))
  expect(page).toContain('3 of 10 weights were free to move, a density of 0.3000, counted from its bits.')
  expect(page).toMatch(/<p>Mask <a href="\/api\/v1\/artifacts\/[0-9a-f]{64}\?name=mask\.safetensors" download=/)
})

test('says so where the file is none', async () => {
  const page = await pageWith(new Uint8Array(new TextEncoder().encode('<script>no mask</script>')))
  expect(page).toContain('not a mask: ')
  expect(page).not.toContain('<script>no mask')
})
