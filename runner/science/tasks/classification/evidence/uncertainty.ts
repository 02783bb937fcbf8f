/** How sure a model is of each example, by the measures that attacks look at (Song & Mittal 2021,
 *  https://arxiv.org/abs/2003.10595). Computed in double precision, so that no digit is lost near 0 and 1, then rounded to float32,
 *  which is what logits are known in. */
import { argmax } from './answers.ts'
import type { Answers } from './evidence.ts'

/** The softmax of one example in parts that keep their digits where a probability is close to 0 or 1. */
interface Softmax {
  /** The class with the largest logit. */
  top: number
  /** Probability of a class. */
  p(label: number): number
  /** -ln p. */
  surprise(label: number): number
  /** 1 - p. */
  rest(label: number): number
  /** -ln(1 - p). */
  restSurprise(label: number): number
}

function softmaxOf(answers: Answers, example: number): Softmax {
  const classes = answers.logits.length / answers.labels.length
  const row = answers.logits.subarray(example * classes, (example + 1) * classes)
  const top = argmax(answers, example)
  const behind = (label: number) => row[top]! - row[label]!
  const behindTop = Array.from({ length: classes }, (_, label) => label).filter((label) => label !== top)
  const second = Math.min(...behindTop.map(behind))
  // Σ exp(z - second largest z) without the largest, since exp(z - max z) may all come to 0.
  const scaled = behindTop.reduce((total, label) => total + Math.exp(second - behind(label)), 0)
  const others = Math.exp(-second) * scaled
  const total = 1 + others
  const p = (label: number) => Math.exp(-behind(label)) / total
  return {
    top,
    p,
    surprise: (label) => behind(label) + Math.log1p(others),
    rest: (label) => (label === top ? others / total : 1 - p(label)),
    restSurprise: (label) => (label === top ? second - Math.log(scaled) + Math.log1p(others) : -Math.log1p(-p(label))),
  }
}

const over =
  (measure: (softmax: Softmax, label: number, classes: number) => number) =>
  (answers: Answers): Float64Array => {
    const classes = answers.logits.length / answers.labels.length
    return Float64Array.from(answers.labels, (label, example) =>
      Math.fround(measure(softmaxOf(answers, example), label, classes)),
    )
  }

const sum = (classes: number, term: (label: number) => number): number => {
  let total = 0
  for (let label = 0; label < classes; label++) total += term(label)
  return total
}

/** x ln(1 / y), which is 0 where x is. */
const share = (x: number, surprise: number): number => (x === 0 ? 0 : x * surprise)

/** Cross-entropy, -ln p of the true class. */
export const lossesOf = over(({ surprise }, label) => surprise(label))

/** ln p - ln(1 - p) of the true class, which is z - ln Σ exp of the other logits: orders examples as the confidence does, and
 *  does not run out of digits where that comes to 1. */
export const marginsOf = over(({ surprise, restSurprise }, label) => restSurprise(label) - surprise(label))

/** -Σ p ln p, in nats. */
export const entropiesOf = over(({ p, surprise }, _label, classes) =>
  sum(classes, (each) => share(p(each), surprise(each))),
)

/** -(1 - p) ln p of the true class, and of each other one -p ln(1 - p): low where the model is sure and right alone. */
export const modifiedEntropiesOf = over(({ p, surprise, rest, restSurprise }, label, classes) =>
  sum(classes, (each) => (each === label ? share(rest(each), surprise(each)) : share(p(each), restSurprise(each)))),
)

/** Softmax of every example, [n, classes]. */
export function probabilitiesOf(answers: Answers): Float64Array {
  const classes = answers.logits.length / answers.labels.length
  const found = new Float64Array(answers.logits.length)
  for (let example = 0; example < answers.labels.length; example++) {
    const { p } = softmaxOf(answers, example)
    for (let label = 0; label < classes; label++) found[example * classes + label] = p(label)
  }
  return found
}

/** What released code stands in for p = 0. */
const TINY = 1e-30

/** The same as released code of Unlearn-Saliency computes it: all logarithms are of p, and the classes that count as true are, for
 *  every example, all that occur among the labels. */
export function releasedModifiedEntropiesOf(answers: Answers): Float64Array {
  const occurring = new Set(answers.labels)
  return over(({ p, rest }, _label, classes) =>
    sum(classes, (each) => {
      const chance = Math.fround(p(each))
      return (occurring.has(each) ? rest(each) : chance) * -Math.log(chance > 0 ? p(each) : TINY)
    }),
  )(answers)
}

/** 1 where the largest logit is that of the true class, else 0. */
export const correctnessOf = (answers: Answers): Float64Array =>
  Float64Array.from(answers.labels, (label, example) => Number(argmax(answers, example) === label))
