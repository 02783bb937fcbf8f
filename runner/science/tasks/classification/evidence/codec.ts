/** Evidence as safetensors: `forget.logits` [n, classes], `forget.labels` [n], the same for `retain` and `test`, and the
 *  metadata `classes` and, for a class-wise request, `forgottenClass`, or `forgottenClasses` such as `1,3`. Labels are written as U8,
 *  beyond 256 classes as I32, and read as any of these or I64, the types that other software has them in. Probes follow, as
 *  probed-codec.ts says. Pure. */

import { labelsIn, labelTensor } from '../../../../formats/labels.ts'
import { readSafetensors, SafetensorsError, type Tensor, writeSafetensors } from '../../../../formats/safetensors.ts'
import type { Answers, Evidence } from './evidence.ts'
import { probedIn, probedTensors } from './probed-codec.ts'

const sets = ['forget', 'retain', 'test'] as const

export function encodeEvidence(evidence: Evidence): Uint8Array<ArrayBuffer> {
  const { classes, forgottenClass, forgottenClasses, probed = {} } = evidence
  const tensors = new Map<string, Tensor>()
  for (const set of sets) {
    const { logits, labels } = evidence[set]
    tensors.set(`${set}.logits`, { dtype: 'F32', shape: [labels.length, classes], data: logits })
    tensors.set(`${set}.labels`, labelTensor(labels, classes))
  }
  for (const [name, tensor] of probedTensors(probed, classes)) tensors.set(name, tensor)
  return writeSafetensors(tensors, {
    classes: `${classes}`,
    ...(forgottenClass !== null && { forgottenClass: `${forgottenClass}` }),
    ...(forgottenClasses && { forgottenClasses: forgottenClasses.join() }),
  })
}

/** Throws SafetensorsError when the bytes are not evidence. */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const { tensors, metadata } = readSafetensors(bytes)
  const number = (name: string, text: string | undefined) => {
    if (text === undefined || !/^\d{1,4}$/.test(text)) {
      throw new SafetensorsError(`evidence: expected a number as the metadata ${name}, got ${text ?? 'none'}`)
    }
    return Number(text)
  }
  const classes = number('classes', metadata.classes)
  const answers = (set: string): Answers => {
    const logits = tensors.get(`${set}.logits`)
    const labels = tensors.get(`${set}.labels`)
    if (logits?.dtype !== 'F32') {
      throw new SafetensorsError(`evidence: expected ${set}.logits of F32, got ${logits?.dtype ?? 'none'}`)
    }
    if (!labels || labels.dtype === 'F32') {
      throw new SafetensorsError(`evidence: expected ${set}.labels of U8, I32 or I64, got ${labels?.dtype ?? 'none'}`)
    }
    if (logits.shape.join() !== `${labels.data.length},${classes}`) {
      throw new SafetensorsError(
        `evidence: expected ${set}.logits of shape [${labels.data.length}, ${classes}], got [${logits.shape.join(', ')}]`,
      )
    }
    const fail = (expected: string, label: number | bigint, example: number): never => {
      throw new SafetensorsError(`evidence: expected ${set}.labels ${expected}, got ${label} (example ${example})`)
    }
    return { logits: logits.data, labels: labelsIn(labels.data, fail, classes) }
  }
  const listed = (name: string) =>
    (metadata[name]?.split(',') ?? []).map((text) => {
      const label = number(name, text)
      if (label < classes) return label
      throw new SafetensorsError(`evidence: expected a ${name} below ${classes}, the number of classes, got ${label}`)
    })
  const test = answers('test')
  const probed = probedIn(readerOf(tensors), { classes, tests: test.labels.length })
  const [one = null, several] = [listed('forgottenClass')[0], listed('forgottenClasses')]
  return {
    ...{ classes, forget: answers('forget'), retain: answers('retain'), test },
    forgottenClass: one,
    ...(several.length > 0 && { forgottenClasses: several }),
    ...(probed && { probed }),
  }
}

function readerOf(tensors: ReadonlyMap<string, Tensor>): Parameters<typeof probedIn>[0] {
  const fail = (message: string): never => {
    throw new SafetensorsError(`evidence: ${message}`)
  }
  return {
    has: (name) => tensors.has(name),
    floats(name, columns) {
      const found = tensors.get(name)
      if (found?.dtype !== 'F32' || found.shape.length !== 2 || found.shape[1] !== columns)
        return fail(`expected ${name} as F32 [n, ${columns}], got ${found?.dtype ?? 'none'} [${found?.shape ?? ''}]`)
      return { data: found.data, rows: found.shape[0]! }
    },
    wholes(name, count) {
      const found = tensors.get(name)
      if (found?.dtype !== 'U8' || found.data.length !== count)
        return fail(`expected ${name} as U8 [${count}], got ${found?.dtype ?? 'none'} [${found?.shape ?? ''}]`)
      return found.data
    },
    fail,
  }
}
