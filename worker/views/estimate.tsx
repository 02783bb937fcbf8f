/** Estimates of the queue in words: the median, and what nine of ten stay within. */
import type { Estimate, Quantiles } from '../../schema/api/queue.ts'
import { duration, plural } from './numbers.ts'

/** "about 4 min 10 s, 9 in 10 within 6 min 2 s"; one figure where both are the same. */
export function quantileWords({ median, p90 }: Quantiles): string {
  const [usual, most] = [duration(Math.round(median)), duration(Math.round(p90))]
  return usual === most ? `about ${usual}` : `about ${usual}, 9 in 10 within ${most}`
}

export const NO_ESTIMATE = 'no estimate yet'

export const EstimateWords = ({ estimate }: { estimate: Estimate | null }) => {
  if (!estimate) return <span class="muted">{NO_ESTIMATE}</span>
  const { begins, ends, basedOn } = estimate
  return (
    <>
      {begins.p90 < 1 ? 'now' : `begins in ${quantileWords(begins)}`}
      <br />
      <span class="small muted">
        {ends && `ends in ${quantileWords(ends)}; `}from {plural(basedOn, 'stage')} like it
      </span>
    </>
  )
}
