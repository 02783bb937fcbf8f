/** What probes of a stage find, made without computing anything: D_f is learned at an even pace, and features tell nothing. */
import { answersOf, countCorrect, firstOf } from '../../runner/science/tasks/classification/evidence/answers.ts'
import type { Evidence } from '../../runner/science/tasks/classification/evidence/evidence.ts'
import { foldsOf, pairsPerClass } from '../../runner/science/tasks/classification/evidence/pairs.ts'
import type { Probed } from '../../runner/science/tasks/classification/evidence/probed.ts'
import { probesOf } from '../../schema/parts/probes.ts'
import { forgottenClasses } from '../../schema/parts/request.ts'
import type { StageOf } from '../../schema/stage.ts'

/** Undefined for a stage that is asked for none. */
export function probedLike(spec: StageOf<'evaluate'>, answers: Evidence): Probed | undefined {
  const { relearn, linear } = probesOf(spec)
  if (!relearn && !linear) return undefined
  const { forget, test, classes } = answers
  const whole = forgottenClasses(spec.request).length > 0
  return {
    ...(relearn && { curve: curveLike(relearn, answers) }),
    ...(linear && whole && { logits: test.logits }),
    ...(linear && !whole && { membership: pairsLike({ forget: forget.labels, test: test.labels, classes }, linear) }),
  }
}

function curveLike({ steps, every }: { steps: number; every: number }, answers: Evidence): Float32Array {
  const [forget, test] = [answersOf(answers, 'forget'), answersOf(answers, 'test')]
  const [images, start] = [forget.labels.length, countCorrect(forget)]
  const tested = countCorrect(firstOf(test, images))
  return Float32Array.from(
    Array.from({ length: steps / every + 1 }, (_, look) => [
      look * every,
      Math.round(start + ((images - start) * look * every) / steps),
      tested,
    ]).flat(),
  )
}

function pairsLike(labels: Parameters<typeof pairsPerClass>[0], { images }: { images: number }) {
  const pairs = pairsPerClass(labels, images).reduce((a, b) => a + b, 0)
  return { scores: new Float32Array(2 * pairs), folds: foldsOf(pairs) }
}
