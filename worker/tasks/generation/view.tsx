/** Class-conditional image generation on pages. */
import type { Benchmark } from '../../../schema/benchmark.ts'
import type { Sampling } from '../../../schema/parts/diffusion.ts'
import { type Generation, generationOf } from '../../../schema/tasks/generation.ts'
import { picturedBy } from '../../http/catalogue.ts'
import { factsOf } from '../../queries/boards/identities.ts'
import { classWords, recipeWords } from '../../views/benchmark-words.ts'
import { TradeOffChart } from '../../views/charts/trade-off-chart.tsx'
import { count, plural } from '../../views/numbers.ts'
import { SampleGrids } from '../../views/sample-grids.tsx'
import type { TaskView } from '../../views/task-view.ts'

function samplingWords({ sampler, guidance, perClass }: Sampling): string {
  const eta = sampler.kind === 'ddim' ? `, η ${sampler.eta}` : ''
  return `${count(perClass)} images of each class by ${sampler.kind.toUpperCase()}, ${plural(sampler.steps, 'step')}${eta}, guidance ${guidance}`
}

const extractorWords = ({ extractor, judge }: Generation): string =>
  extractor === 'judge'
    ? `those of the judge (${judge.model.id}), so distances are not FID or KID`
    : 'pool3 of FID’s Inception-v3'

const Facts = ({ benchmark, identities }: { benchmark: Benchmark; identities: string[] }) => {
  const part = generationOf(benchmark)!
  // The judge's training is one stage that all runs share, so one identity tells its accuracy.
  const accuracy = identities.map((identity) => factsOf(identity).get('accuracy')).find((found) => found !== undefined)
  return (
    <>
      <dt>Sampling</dt>
      <dd>{samplingWords(part.sampling)}</dd>
      <dt>Judge</dt>
      <dd>
        {part.judge.model.id}, trained on all of D: {recipeWords(part.judge)}
        {accuracy ? `; right about ${accuracy}% of the test set` : ''}
      </dd>
      <dt>Features</dt>
      <dd>{extractorWords(part)}</dd>
    </>
  )
}

export const generation: Partial<TaskView> = {
  facts: (benchmark, identities) => <Facts benchmark={benchmark} identities={identities} />,
  below: (board) => (
    <TradeOffChart
      board={board}
      about="What is forgotten against how well the remaining classes are drawn"
      reading="right is more forgotten, down is closer to real images of the remaining classes. Hollow marks are the references: original has forgotten nothing, retrain never saw the class."
    />
  ),
  samples(run, samples) {
    const { request } = run.benchmark
    const label = request.kind === 'class' ? request.label : -1
    const forgotten = classWords(run.benchmark, label)
    return (
      <SampleGrids
        run={run}
        samples={samples}
        rows={picturedBy(run.benchmark)?.classes ?? []}
        forgotten={label}
        title={`${forgotten} is to be forgotten; every other class should stay`}
        about="The first images of each class in the order of sampling, not chosen"
        reading={`images at the same place begin from the same noise and were asked for the same class, so what differs between two pictures is the model. In the row of ${forgotten}, the original shows what was known; the others should no longer show it.`}
      />
    )
  },
  stageTitle({ kind, task }) {
    if (kind === 'train' && task === 'classification') return 'Train the judge, a classifier'
    if (kind === 'sample') return 'Sample images of every class'
    return kind === 'evaluate' ? 'Judge and compare the samples' : null
  },
  sameSeed: 'initialisation, order of batches and noise',
  docs: () => (
    <p>
      Where the model is one that generates images of a class it is asked for, a class is forgotten: the original still
      draws it, retrain never saw it. Images of every class are sampled, with the same noise for every model of a seed.
      A judge, a classifier trained on all of D that has nothing to do with the model, says what they show; features of
      the images of the remaining classes are compared with those of real ones. Figures of different features have
      different names: FID and its kin are of Inception-v3 alone. Each identity goes on with what was measured, such as
      the numbers of images, and pages say where values of one column differ in it. These metrics have a better
      direction of their own. Rows are ordered by the worse of their places by forgetting (UA) and by the Fréchet
      distance of the remaining classes, for either alone is easily had: by drawing noise, or by forgetting nothing.
    </p>
  ),
}
