/** Labels of more than 256 classes, which a byte cannot hold, from a folder to evidence and back. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { imageFolder } from '../../runner/data/datasets/image-folder.ts'
import { labelsFrom, labelsOf, labelTensor, labelType } from '../../runner/formats/labels.ts'
import { readSafetensors } from '../../runner/formats/safetensors.ts'
import { countCorrect } from '../../runner/science/tasks/classification/evidence/answers.ts'
import { decodeEvidence, encodeEvidence } from '../../runner/science/tasks/classification/evidence/codec.ts'
import { decodeSamples, encodeSamples } from '../../runner/tasks/generation/sample.ts'

/** Examples of these classes whose largest logit is at their class. */
const answers = (classes: number, labels: number[]) => {
  const logits = new Float32Array(labels.length * classes)
  for (const [row, label] of labels.entries()) logits[row * classes + label] = 2
  return { logits, labels: labelsFrom(labels, classes) }
}
const evidence = (classes: number, top: number) => ({
  classes,
  forget: answers(classes, [0, top]),
  retain: answers(classes, [top, 1, 2]),
  test: answers(classes, [top]),
  forgottenClass: top,
})

test('up to 256 classes labels are bytes, in memory and in files', () => {
  const { tensors } = readSafetensors(encodeEvidence(evidence(256, 255)))
  expect(tensors.get('retain.labels')).toEqual({ dtype: 'U8', shape: [3], data: Uint8Array.of(255, 1, 2) })
  expect([labelType(256), labelType(257)]).toEqual(['U8', 'I32'])
  expect(labelTensor(Uint8Array.of(7), 10)).toEqual({ dtype: 'U8', shape: [1], data: Uint8Array.of(7) })
})

test('evidence of 1,000 classes keeps its labels and scores as any', () => {
  const bytes = encodeEvidence(evidence(1000, 999))
  expect(readSafetensors(bytes).tensors.get('forget.labels')?.dtype).toBe('I32')
  const decoded = decodeEvidence(bytes)
  expect([decoded.classes, decoded.forgottenClass]).toEqual([1000, 999])
  expect([...decoded.retain.labels]).toEqual([999, 1, 2])
  expect(countCorrect(decoded.retain)).toBe(3)
  expect(encodeEvidence(decoded)).toEqual(bytes)
})

test('a set without a class beyond 255 has the type of its dataset nonetheless', () => {
  const decoded = decodeEvidence(encodeEvidence({ ...evidence(300, 299), forget: answers(300, [3, 4]) }))
  expect(readSafetensors(encodeEvidence(decoded)).tensors.get('forget.labels')?.dtype).toBe('I32')
})

test('samples of 300 classes keep what they were asked for', () => {
  const labels = labelsFrom([0, 299], 300)
  const samples = encodeSamples({ images: new Uint8Array(8), labels }, [1, 2, 2], 300)
  expect([...decodeSamples(samples).labels]).toEqual([0, 299])
})

test('some of the labels are as wide as all', () => {
  expect(labelsOf(labelsFrom([300, 1], 400), [0])).toEqual(Uint16Array.of(300))
  expect(labelsOf(labelsFrom([30, 1], 40), [1])).toEqual(Uint8Array.of(1))
})

test('a folder may have up to 1,000 classes', async () => {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  try {
    const image = await sharp(Buffer.alloc(3), { raw: { width: 1, height: 1, channels: 3 } })
      .png()
      .toBuffer()
    const nameOf = (label: number) => `class-${`${label}`.padStart(4, '0')}`
    const make = async (label: number) => {
      for (const split of ['train', 'test']) {
        const folder = join(home, split, nameOf(label))
        await mkdir(folder, { recursive: true })
        await writeFile(join(folder, 'a.png'), image)
      }
    }
    for (let label = 0; label < 1000; label++) await make(label)
    const load = () => imageFolder.load({ directories: [], cache: home, path: home })
    const { train, classes } = await load()
    expect([classes.length, train.count]).toEqual([1000, 1000])
    expect(Array.from(train.labels)).toEqual(Array.from({ length: 1000 }, (_, label) => label))
    await make(1000)
    await expect(load()).rejects.toThrow('expected 2 to 1000 class folders, got 1001')
  } finally {
    await rm(home, { recursive: true })
  }
})
