/** `palimpsest score` on evidence of another task than classification. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeGenerationEvidence, encodeRealImages } from '../../runner/science/tasks/generation/evidence/codec.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { cleanUp, cli, temporaryFolder } from '../support/cli.ts'
import { madeUpFeatures } from './features.ts'

afterAll(cleanUp)

const [CLASSES, DIMENSION] = [4, 12]
const labelsOf = (count: number) => Uint8Array.from({ length: count }, (_, i) => i % CLASSES)
/** The judge calls everything class 0. */
const logits = Float32Array.from({ length: 40 * CLASSES }, (_, i) => (i % CLASSES === 0 ? 1 : 0))
const extractor = { id: 'small-cnn-features', weights: 'b'.repeat(64), preprocessing: 'none', dimension: DIMENSION }

test('evidence of generated images is scored with the file beside it, and asks for it where it is not given', async () => {
  const folder = await temporaryFolder()
  const [path, reference] = [join(folder, 'evidence.safetensors'), join(folder, 'reference.safetensors')]
  const real = { features: madeUpFeatures(2, 60, DIMENSION).data, labels: labelsOf(60) }
  const bytes = encodeRealImages(real, extractor)
  await writeFile(reference, bytes)
  const evidence = encodeGenerationEvidence({
    classes: CLASSES,
    forgottenClass: 2,
    labels: labelsOf(40),
    judge: { key: 'a'.repeat(64), testAccuracy: 90, logits },
    extractor,
    features: madeUpFeatures(1, 40, DIMENSION).data,
    scores: logits,
    scoreClasses: CLASSES,
    real: { ...real, sha256: sha256Of(bytes) },
  })
  await writeFile(path, evidence)

  const alone = await cli(['score', path])
  expect(alone.stderr).toContain('generation: needs reference.safetensors too: give it with --reference FILE')
  expect(alone.code).toBe(2)
  const { stdout } = await cli(['score', path, '--reference', reference, '--json'])
  const values = JSON.parse(stdout) as Record<string, { identity: string; value: number }>
  // No image of class 2 is recognised; of the three others, those of class 0.
  expect(values['generated-ua']?.value).toBe(100)
  expect(values['generated-ra']?.value).toBeCloseTo(100 / 3, 10)
  expect(values['classifier-fd']?.identity).toContain(`ref=${sha256Of(bytes)}`)
  // Features of a classifier are not FID's.
  expect(values.fid).toBeUndefined()
  const other = await cli(['score', path, '--reference', reference, '--metric', 'fid/inception-v3-pool3@1'])
  expect(other.stderr).toContain('no metric of such evidence "fid/inception-v3-pool3@1"')
  expect(other.code).toBe(2)
})

test('a file that is no evidence is refused by every task, each with its reason', async () => {
  const { code, stderr } = await cli(['score', 'package.json', '--reference', 'package.json'])
  expect(stderr).toContain('package.json: expected the evidence of a task, got none that can be read:')
  expect(stderr).toMatch(/classification: expected a header/)
  expect(stderr).toMatch(/generation: expected a header/)
  expect(code).toBe(2)
})
