/** Samples of original, retrain and a run beside one another, equal noise at equal places. */
import { labelled } from '../../runner/words/names.ts'
import type { Run, RunSamples } from '../../schema/api/run.ts'
import { picturedBy, REFERENCE, titleOf } from '../http/catalogue.ts'
import { asRunState, wordOf } from './state.tsx'

/** The picture of a sample stage and its size in pixels; null where there is none to show. */
export type Shown = RunSamples & { size: { width: number; height: number } | null }

/** Pixels that an image takes in the stored picture, and on the page: both a whole multiple of its own. */
const [STORED, ON_PAGE] = [48, 32]

const scaleOf = (run: Run): number => {
  const size = picturedBy(run.benchmark)?.size
  const fold = (target: number) => Math.max(1, Math.round(target / size!))
  return size ? fold(ON_PAGE) / fold(STORED) : 1
}

const nameOf = ({ of }: RunSamples, run: Run) =>
  of === 'original' ? titleOf('original') : of === 'retrain' ? titleOf(REFERENCE) : labelled(run)

const Waiting = ({ sample, name, own }: { sample: Shown; name: string; own: boolean }) => {
  const { state, run, picture } = sample
  const link = run && !own && (
    <>
      {' '}
      See <a href={`/runs/${run}`}>its run</a>.
    </>
  )
  if (picture) return <p class="muted">The picture of {name} is stored, but can't be read as a PNG.</p>
  if (!state)
    return (
      <p class="muted">
        Nobody has asked for {name} with this seed yet. It appears here once it is <a href="/docs#submit">submitted</a>.
      </p>
    )
  if (state === 'done') return <p class="muted">The stage that sampled left no picture.{link}</p>
  return (
    <p class="muted">
      Not sampled yet: {wordOf(asRunState(state)).toLowerCase()}.{link}
    </p>
  )
}

interface GridProps {
  sample: Shown
  run: Run
  /** What the rows of the picture show, from above; empty where that is not known. */
  rows: readonly string[]
  /** The row that is to be forgotten. */
  forgotten: number
}

const Grid = ({ sample, run, rows, forgotten }: GridProps) => {
  const name = nameOf(sample, run)
  const { size, picture, of } = sample
  const heading = `samples-of-${of}`
  const scale = scaleOf(run)
  const from = rows.length > 0 ? `, rows from ${rows[0]} to ${rows.at(-1)}` : ''
  return (
    <div class="grid">
      <h4 id={heading}>{sample.run && sample.run !== run.id ? <a href={`/runs/${sample.run}`}>{name}</a> : name}</h4>
      {picture && size ? (
        <>
          <div class="rows">
            {rows.length > 0 && (
              <ol style={`height:${Math.round(size.height * scale)}px`}>
                {rows.map((text, row) => (
                  <li>
                    {text}
                    {row === forgotten && <strong>to be forgotten</strong>}
                  </li>
                ))}
              </ol>
            )}
            {/* biome-ignore lint/a11y/useSemanticElements: a section with a name would be one more landmark for every picture */}
            <div class="window" role="region" aria-labelledby={heading} tabindex={0}>
              <img
                src={`/api/v1/artifacts/${picture.sha256}?name=samples.png`}
                width={Math.round(size.width * scale)}
                height={Math.round(size.height * scale)}
                alt={`${name}, seed ${run.seed}: samples${from}`}
              />
            </div>
          </div>
          <p class="small">
            <a
              href={`/api/v1/artifacts/${picture.sha256}?name=${of}-seed-${run.seed}.png`}
              download={`${of}-seed-${run.seed}.png`}
            >
              Download <span class="visually-hidden">the picture of {name}</span> (PNG, {size.width}×{size.height})
            </a>
          </p>
        </>
      ) : (
        <Waiting sample={sample} name={name} own={sample.run === run.id} />
      )}
    </div>
  )
}

interface SampleGridsProps extends Partial<Pick<GridProps, 'rows' | 'forgotten'>> {
  run: Run
  samples: Shown[]
  title?: string
  /** Which samples these are. */
  about?: string
  /** How to compare them. */
  reading?: string
}

export const SampleGrids = ({
  run,
  samples,
  rows = [],
  forgotten = -1,
  title = 'What models draw',
  about = 'The first in the order of sampling, not chosen',
  reading = 'images at the same place begin from the same noise, so what differs between two pictures is the model.',
}: SampleGridsProps) => (
  <figure class="samples">
    <h3>{title}</h3>
    <p class="sub">
      {about}; seed {run.seed}
    </p>
    <div class="grids">
      {samples.map((sample) => (
        <Grid sample={sample} run={run} rows={rows} forgotten={forgotten} />
      ))}
    </div>
    <figcaption>How to read: {reading}</figcaption>
  </figure>
)
