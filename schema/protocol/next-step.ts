/** What a submitter can do about a delivery that ended without a result, in plain words. */
import type { FailureReason } from './fail.ts'

export const nextSteps: Record<FailureReason, string> = {
  submission_error:
    'What was submitted cannot be run as it is. Mend what the message names and submit again; the same submission would end the same way.',
  numeric_divergence:
    'The numbers grew beyond what can be computed. Try a smaller learning rate, fewer epochs or gradient clipping, and submit again.',
  invalid_result:
    'What the runner handed in is not what the stage asks for, so it was refused. Nothing needs to be done: another attempt computes it anew. Whoever runs the runner should read the message.',
  out_of_memory:
    'The runner ran out of memory. Submit a smaller batch or model, or ask for a runner with more memory; another runner may manage as it is.',
  gpu_lost:
    'The runner lost its GPU, which is no fault of the submission. Another attempt usually succeeds; submit again if none is left.',
  timeout:
    'The stage took longer than this server allows. Submit fewer epochs, or ask whoever runs the server for a longer limit.',
  image_error:
    'An image of the data cannot be read. Replace or remove the file that the message names on the runner, then submit again.',
  configuration:
    'The runner cannot do what the stage asks for. Check the setting that the message names, and that runner and server are of the same release.',
  dependency:
    'Something that the stage reads was not to be had: data, an artifact or a file of weights. Put it where the message says, then submit again.',
  input:
    'What the stage reads of another stage is gone, damaged or of another shape. Nothing needs to be done: it is computed anew by another runner, and this stage after it.',
  interrupted:
    'The runner was stopped and gave the job back. Nothing needs to be done: it waits for the next runner and costs no attempt.',
  runner_lost:
    'The runner fell silent. Nothing needs to be done: the job goes to the next runner and costs no attempt.',
  cancelled: 'The submission was cancelled. Submit again to have the result after all.',
  evaluator_bug:
    'Something broke in the benchmark itself, not in the submission. Report it with the link to this page; the log holds what developers need.',
}
