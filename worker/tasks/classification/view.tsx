/** Image classification on pages. */
import type { TaskView } from '../../views/task-view.ts'

export const classification: Partial<TaskView> = {
  sameSeed: 'split, initialisation and order of batches',
  docs: () => (
    <p>
      A classifier forgets some of its training images, or all of one class or several. UA, RA, TA and MIA have no
      better direction of their own: the closer to retrain, the better. The AUCs stand beside them: MIA does not see
      what was forgotten too much, they do. Where a class is forgotten, its test images count neither for TA nor for any
      attack. A benchmark may ask for probes too: how soon a model learns D_f again, and what its features still tell.
      These say nothing alone, since a model that never saw D_f learns it as well.
    </p>
  ),
}
