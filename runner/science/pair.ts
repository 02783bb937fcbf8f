/** Values of two models: a model beside the retrained one of the same seed. Such a value says with which evidence of retrain it was
 *  computed, so that it counts for nothing once retrain has other evidence. */

const FACT = ';retrain='

/** The evidence of retrain, where a metric may look at it. */
export interface Beside {
  evidence: unknown
  /** SHA-256 of its file; left out where values are kept nowhere. */
  sha256?: string | undefined
}

/** What a value is exactly, computed beside evidence of this hash. */
export const withRetrain = (identity: string, sha256: string | undefined): string =>
  sha256 === undefined ? identity : `${identity}${FACT}${sha256}`

/** SHA-256 of the evidence of retrain that a value was computed with; null of a value of one model. */
export function retrainIn(identity: string): string | null {
  const at = identity.lastIndexOf(FACT)
  return at < 0 ? null : identity.slice(at + FACT.length)
}

/** What values of all seeds have in common. */
export const withoutRetrain = (identity: string): string => {
  const at = identity.lastIndexOf(FACT)
  return at < 0 ? identity : identity.slice(0, at)
}
