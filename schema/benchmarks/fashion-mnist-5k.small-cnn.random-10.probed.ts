/** The quickstart's benchmark with all that it takes to doubt a good Avg. Gap: probes, and metrics of two models. Its weights are those
 *  of the quickstart, so only evaluations are computed anew. */
import { defineBenchmark } from '../benchmark.ts'
import { fashionMnist5kSmallCnnRandom10 as plain } from './fashion-mnist-5k.small-cnn.random-10.ts'

export const fashionMnist5kSmallCnnRandom10Probed = defineBenchmark({
  ...plain,
  slug: `${plain.slug}.probed`,
  title: `${plain.title}, with probes`,
  summary: `${plain.summary} Beside what a model answers it is asked how soon it learns the forgotten images again, and what a linear classifier finds of them in its features.`,
  task: { id: 'classification', probes: { relearn: { steps: 30 }, linear: {} } },
  metrics: [...plain.metrics, 'relearn/area@1', 'membership-probe/auc@1', 'js-retrain/softmax@1'],
})
