/** How evidence must look that `palimpsest score` reads, whoever saved it; `--help` of the command says the same. */
import { COMMAND } from '../../runner/words/command.ts'
import { Scroll } from './scroll.tsx'

const ofClassifiers = [
  ['forget.logits, retain.logits, test.logits', '[n, classes]', 'floats, before any softmax; rows in dataset order'],
  ['forget.labels, retain.labels, test.labels', '[n]', 'whole numbers: the true class of each row'],
  ['forgottenClass', 'one number', 'where a class was to be forgotten: TA and MIA leave it out of the test set'],
  [
    'relearn.curve',
    '[looks, 3]',
    'floats: steps of training on D_f, and how many of D_f and of test images were then right',
  ],
  ['probe.logits', '[n test, classes]', 'floats: a linear classifier on frozen features, for the rows of test.logits'],
  [
    'membership.scores, membership.folds',
    '[pairs, 2], [pairs]',
    'a forgotten and a test example each, and the part of the pair',
  ],
  ['forgottenClasses', '[k]', 'whole numbers, or text such as 1,3: the same of several classes'],
]
const ofImages = [
  ['labels', '[n]', 'whole numbers: the class that each image was asked for'],
  ['features', '[n, d]', "floats: the extractor's"],
  ['scores', '[n, k]', "floats: the extractor's logits, for the Inception Score"],
  ['judge.logits', '[n, classes]', 'floats: what an independent classifier says; with judge.testAccuracy, in %'],
  ['extractor.id', 'text', 'such as inception-v3-pool3, whose figures alone are called FID, KID and Inception Score'],
  ['forgottenClass', 'one number', 'the class that was to be forgotten'],
]

const Names = ({ id, rows, title }: { id: string; rows: string[][]; title: string }) => (
  <Scroll labelledBy={id}>
    <table>
      <caption id={id}>{title}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Shape</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, shape, what]) => (
          <tr>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>{shape}</td>
            <td>{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
)

export const EvidenceFormat = () => (
  <>
    <h2 id="score">Score answers of your own</h2>
    <p>
      No training and no server are needed to compute the metrics of a model that was made elsewhere. Save its answers
      as safetensors, or as an <code>.npz</code> with <code>numpy.savez</code>; beside the answers of a retrained model
      every metric has its gap:
    </p>
    <pre>
      <code>{`${COMMAND} score evidence.npz --retrain retrain.npz --per-example examples.csv`}</code>
    </pre>
    <Names id="answers-caption" title="Of a classifier" rows={ofClassifiers} />
    <Names id="samples-caption" title="Of generated images" rows={ofImages} />
    <p>
      Floats are float16, bfloat16, float32 or float64, and are taken in float32. Numbers and text that are no arrays
      stand in the metadata of safetensors, or are given to <code>savez</code> as they are. In place of a dot a name may
      have an underscore: <code>savez("evidence.npz", forget_logits=z, forget_labels=y, ...)</code>. What is missing is
      left out, with the metrics that need it. Real images are a file of their own, <code>--reference</code>, with{' '}
      <code>features</code>, <code>labels</code> and <code>extractor.id</code>.
    </p>
    <p>
      FID alone is computed between any two of generated images, real features, statistics as pytorch-fid writes them
      (an <code>.npz</code> of <code>mu</code> and <code>sigma</code>), and folders of pictures.
    </p>
  </>
)
