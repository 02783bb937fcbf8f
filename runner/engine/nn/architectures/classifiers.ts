/** What a benchmark of classification can name as its model: the architectures of nn/models/, and a file. */
import { z } from 'zod'
import { EXPORTED } from '../../../../schema/parts/model-file.ts'
import type { ModelDefinition } from '../model.ts'
import * as models from '../models/index.ts'

type Named = Pick<ModelDefinition, 'title' | 'paper' | 'params'>

export const classifiers: Readonly<Record<string, Named>> = {
  ...models,
  [EXPORTED]: {
    title: 'A classifier of your own, exported to ONNX, by the hash of its file',
    paper: null,
    params: z.strictObject({}),
  },
}
