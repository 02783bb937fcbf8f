/** Ops of a file that can't be used whatever their inputs are, and what to do about it. */

const of = (ops: readonly string[], sentence: string) => Object.fromEntries(ops.map((op) => [op, sentence]))

export const refusedOps: Readonly<Record<string, string>> = {
  ...of(
    ['Bernoulli', 'Multinomial', 'RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike'],
    "draws random numbers, which can't follow the run's seed; export the model for inference, where nothing is drawn",
  ),
  ...of(
    ['Compress', 'NonMaxSuppression', 'Unique'],
    'gives a result whose shape depends on content; export a model whose shapes are known',
  ),
  ...of(
    ['ConvInteger', 'DynamicQuantizeLinear', 'MatMulInteger', 'QLinearConv', 'QLinearMatMul'],
    'computes in integers, which have no gradient; export the model before it is quantised, or with QuantizeLinear and DequantizeLinear (QDQ)',
  ),
  ...of(
    ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'],
    "is a loss, which is the benchmark's; export the model up to its logits",
  ),
  ...of(
    [
      ...['ConcatFromSequence', 'SequenceAt', 'SequenceConstruct', 'SequenceEmpty', 'SequenceErase', 'SequenceInsert'],
      ...['SequenceLength', 'SequenceMap', 'SplitToSequence', 'Optional', 'OptionalGetElement', 'OptionalHasElement'],
    ],
    'holds a sequence or an optional, where graphs hold tensors only; export a model without them',
  ),
}
