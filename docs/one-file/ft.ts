/** Fine-tuning on D_r. */
export default defineMethod({
  title: 'FT of one file',
  summary: 'Fine-tunes the original on D_r and relies on catastrophic forgetting of D_f.',
  paper: {
    title: 'Eternal Sunshine of the Spotless Net (Golatkar et al., CVPR 2020)',
    url: 'https://arxiv.org/abs/1911.04933',
  },
  on: {
    classification: onClassification({
      params: sgd,
      search: { learningRate: '1e-3..0.5' },
      async run({ params, trainer, retain }) {
        await trainer.sgd(params).descend([fitLabels(retain, params)], { passes: params.epochs })
      },
    }),
  },
})
