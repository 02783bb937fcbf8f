/** What the meta-evaluation found a metric unable to see, on models that are known. Found by `npm run meta-evaluation`, never written by
 *  hand: docs/meta-evaluation.md has the figures. */

/** The models that a metric puts out of the known order: retrain of another seed nearest to retrain, then the original and a retrained
 *  model with noise in its weights, a random model furthest. */
export const limits = {
  original:
    'the original comes out as near to retrain as a second retrain does, so it does not see whether anything was forgotten',
  noise: 'a retrained model with noise in its weights comes out as near to retrain as a second retrain does',
  random:
    'a random model comes out no further from retrain than the original does, so it says nothing without RA and TA',
} as const
export type Limit = keyof typeof limits

/** A sentence for people; null where a metric puts all in order. */
export const limitWords = (found: readonly Limit[] | undefined): string | null =>
  found && found.length > 0
    ? `Known limits, measured on the quickstart: ${found.map((limit) => limits[limit]).join('; ')}.`
    : null
