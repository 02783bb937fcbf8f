/** What a run measured: metrics against retrain, times apart, artifacts, and what made them. */
import type { Run, RunMetric, RunStage } from '../../schema/api/run.ts'
import type { Seconds } from '../../schema/result.ts'
import { decimalsOf } from '../http/catalogue.ts'
import { baseOf, differenceFrom, isSmall } from '../queries/boards/identities.ts'
import { decimal, fileSize, NOT_MEASURED, seconds, signed, times, utc } from './numbers.ts'
import { Scroll } from './scroll.tsx'
import type { ShownRun } from './stage-list.tsx'

/** What a value is exactly: the base in sight, all of it on demand, and what to beware of. */
const Identity = ({ identity, retrain }: { identity: string; retrain: string | null }) => {
  const differences = retrain === null ? [] : differenceFrom(retrain, identity)
  return (
    <>
      <code>{baseOf(identity)}</code>
      {baseOf(identity) !== identity && (
        <details>
          <summary>
            In full<span class="visually-hidden">: {baseOf(identity)}</span>
          </summary>
          <code>{identity}</code>
        </details>
      )}
      {isSmall(identity) && (
        <div class="small">
          <strong class="warn">Too few images:</strong> no more than the features have dimensions. A Fréchet distance is
          then biased upwards, and any figure is comparable only at the same numbers.
        </div>
      )}
      {differences.length > 0 && <div class="small">Not measured like retrain: {differences.join('; ')}</div>}
    </>
  )
}

export const Metrics = ({ run }: { run: Run }) => {
  const closeness = Object.values(run.metrics).every(({ better }) => better === 'closer-to-retrain')
  return (
    <Scroll labelledBy="metrics-caption">
      <table>
        <caption id="metrics-caption">
          Seed {run.seed}: this run beside retrain with the same seed and split
          {closeness && '; closer to retrain is better'}
        </caption>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" class="num">
              This run
            </th>
            <th scope="col" class="num">
              Retrain
            </th>
            <th scope="col" class="num">
              Gap
            </th>
            <th scope="col">Identity</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(run.metrics).map(
            ([
              id,
              { title, unit, better, inAvgGap, ofTwo, value, retrain, gap, identity, retrainIdentity, ...provenance },
            ]) => (
              <tr>
                <th scope="row">
                  <a href={`/docs#metric-${id}`}>{title}</a> <span class="muted">{unit}</span>
                  {better !== 'closer-to-retrain' && <div class="unit">{better} is better</div>}
                  {better === 'closer-to-retrain' && !inAvgGap && <div class="unit">not in Avg. Gap</div>}
                </th>
                <td class="num">
                  <strong>{decimal(value, decimalsOf(id))}</strong>
                  {provenance.rescored && <div class="unit">scored again</div>}
                  {!provenance.confirmed && <div class="unit">as the runner says</div>}
                </td>
                {ofTwo ? (
                  <td class="num muted" colspan={2}>
                    of both together
                  </td>
                ) : (
                  <>
                    <td class="num">{retrain === null ? 'not finished' : decimal(retrain, decimalsOf(id))}</td>
                    <td class={`num ${gap === null ? 'muted' : gap < 0 ? 'below' : 'above'}`}>
                      {gap === null ? 'no retrain yet' : signed(gap, decimalsOf(id))}
                    </td>
                  </>
                )}
                <td>
                  <Identity identity={identity} retrain={retrainIdentity} />
                  <Provenance {...provenance} />
                </td>
              </tr>
            ),
          )}
          {run.avgGap !== null && (
            <tr>
              <th scope="row">Avg. Gap</th>
              <td class="num">
                <strong>{decimal(run.avgGap)}</strong>
              </td>
              <td class="num muted">the reference</td>
              <td class="num" />
              <td class="muted">mean of |gap| over the metrics in it, smaller is better</td>
            </tr>
          )}
        </tbody>
      </table>
    </Scroll>
  )
}

/** Who computed a value, and whether that is more than its runner's word. */
const Provenance = ({ computed, confirmed, rescored }: Pick<RunMetric, 'computed' | 'confirmed' | 'rescored'>) => (
  <div class="small">
    {rescored ? 'Computed anew' : 'Computed'} from the stored evidence by {scorer(computed)}
    {rescored && (
      <>
        , version {rescored.version}, on <time datetime={rescored.at}>{utc(rescored.at)}</time>
      </>
    )}
    {confirmed ? '.' : ', which measured it; nobody else has yet.'}
  </div>
)

const scorer = ({ by }: { by: string }) => (by === 'server' ? 'the server' : by)

/** Values that newer ones took the place of; nothing where there are none. */
export const EarlierValues = ({ run }: { run: Run }) => {
  const earlier = Object.entries(run.metrics).flatMap(([id, { title, earlier }]) =>
    earlier.map((value) => ({ id, title, ...value })),
  )
  if (earlier.length === 0) return null
  return (
    <details>
      <summary>Earlier values ({earlier.length})</summary>
      <Scroll labelledBy="earlier-caption">
        <table>
          <caption id="earlier-caption">What these metrics said before they were scored again</caption>
          <thead>
            <tr>
              <th scope="col">Metric</th>
              <th scope="col" class="num">
                Value
              </th>
              <th scope="col">Identity</th>
              <th scope="col">Computed by</th>
              <th scope="col">Version</th>
              <th scope="col">On</th>
            </tr>
          </thead>
          <tbody>
            {earlier.map((value) => (
              <tr>
                <th scope="row">{value.title}</th>
                <td class="num">{decimal(value.value, decimalsOf(value.id))}</td>
                <td>
                  <code>{value.identity}</code>
                </td>
                <td>{scorer(value)}</td>
                <td>{value.version}</td>
                <td>
                  <time datetime={value.at}>{utc(value.at)}</time>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  )
}

/** The most that a stage held at once. */
function memoryWords({ memory }: RunStage): string {
  if (!memory) return NOT_MEASURED
  const { hostBytes, deviceBytes } = memory
  return fileSize(hostBytes) + (deviceBytes === undefined ? '' : `, GPU ${fileSize(deviceBytes)}`)
}

/** In the order of the columns. */
const partTitles: Record<keyof Seconds, string> = {
  setUp: 'Set-up',
  train: 'Training',
  mask: 'Mask',
  unlearn: 'Unlearning',
  sample: 'Sampling',
  evaluate: 'Evaluation',
}

export const Times = ({ run }: { run: ShownRun }) => {
  const timed = run.stages.filter(({ seconds: parts }) => parts !== null)
  if (timed.length === 0) return <p class="muted">No stage has finished yet.</p>
  const shown = (Object.entries(partTitles) as [keyof Seconds, string][]).filter(([part]) =>
    timed.some(({ seconds: found }) => found?.[part] !== undefined),
  )
  return (
    <>
      {run.seconds !== null && (
        <p>
          RTE: <strong>{seconds(run.seconds)}</strong>
          {run.fractionOfRetrain !== null
            ? `, ${times(run.fractionOfRetrain)} the time of retrain with this seed on the same device class.`
            : '; retrain of this seed has no time on the same device class.'}
        </p>
      )}
      <Scroll labelledBy="times-caption">
        <table>
          <caption id="times-caption">
            Measured by the runner around each part, never by the method itself; memory is the most that was held at
            once
          </caption>
          <thead>
            <tr>
              <th scope="col">Stage</th>
              {shown.map(([, title]) => (
                <th scope="col" class="num">
                  {title}
                </th>
              ))}
              <th scope="col" class="num">
                Memory
              </th>
              <th scope="col">Device class</th>
            </tr>
          </thead>
          <tbody>
            {timed.map((stage) => (
              <tr>
                <th scope="row">{stage.title}</th>
                {shown.map(([part]) => {
                  const value = stage.seconds?.[part]
                  return (
                    <td class={value === undefined ? 'num muted' : 'num'}>
                      {value === undefined ? 'none' : seconds(value)}
                    </td>
                  )
                })}
                <td class="num">{memoryWords(stage)}</td>
                <td>{stage.device?.deviceClass ?? NOT_MEASURED}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  )
}

export const Artifacts = ({ run }: { run: ShownRun }) => {
  const files = run.stages.flatMap((stage) =>
    Object.entries(stage.artifacts).map(([name, { sha256, bytes }]) => ({ stage, name, sha256, bytes })),
  )
  if (files.length === 0) return <p class="muted">Nothing was stored yet.</p>
  return (
    <Scroll labelledBy="artifacts-caption">
      <table>
        <caption id="artifacts-caption">Files of each stage, stored by their SHA-256</caption>
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">Stage</th>
            <th scope="col" class="num">
              Size
            </th>
            <th scope="col">SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ stage, name, sha256, bytes }) => (
            <tr>
              <th scope="row">
                <a href={`/api/v1/artifacts/${sha256}?name=${name}`} download={name}>
                  {name}
                </a>
              </th>
              <td>{stage.title}</td>
              <td class="num">{fileSize(bytes)}</td>
              <td class="hash">{sha256}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}
