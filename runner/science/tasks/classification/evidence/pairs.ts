/** Which examples the probe of membership pairs: as many of a class on both sides, so that it cannot tell them by their class. */

/** Parts that the pairs are cut into, each scored by a classifier of the others. */
const FOLDS = 5

/** How many pairs each class has, by the labels of D_f and of the test set; `images` is how many examples may be used in all. */
export function pairsPerClass(
  { forget, test, classes }: { forget: ArrayLike<number>; test: ArrayLike<number>; classes: number },
  images: number,
): number[] {
  const [forgotten, tested] = [countsOf(forget, classes), countsOf(test, classes)]
  const occurring = forgotten.filter((count) => count > 0).length
  const most = Math.max(1, Math.floor(images / (2 * occurring)))
  return forgotten.map((count, label) => Math.min(count, tested[label]!, most))
}

/** The fold of each of so many pairs, which lie class by class. */
export const foldsOf = (pairs: number): Uint8Array => {
  const folds = Math.min(FOLDS, pairs)
  return Uint8Array.from({ length: pairs }, (_, pair) => pair % folds)
}

export function countsOf(labels: ArrayLike<number>, classes: number): number[] {
  const counts = Array<number>(classes).fill(0)
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]! += 1
  return counts
}
