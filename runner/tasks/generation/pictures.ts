/** Pictures in a folder, by their Inception features: what a FID against images of one's own is made of. */
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { AT_ONCE, decode, filesBelow, type Picture, shapeOf } from '../../data/files/pictures.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { type ImageExtractor, inceptionExtractor, lookAt } from './extractor.ts'

interface Options extends LoadOptions {
  threads: number
  signal: AbortSignal
  /** For pictures of a shape [c, h, w]. */
  extractorFor?: (inputShape: number[]) => Promise<ImageExtractor>
}

/** Features of all pictures below a folder, [n, 2048], whatever their sizes. */
export async function featuresOfPictures(folder: string, options: Options): Promise<Float32Array> {
  const { threads, signal, onProgress = () => {} } = options
  const extractorFor = options.extractorFor ?? ((inputShape) => inception(inputShape, options))
  const files = await filesBelow(folder)
  if (files.length < 2) throw new DatasetError(`${folder}: expected at least two pictures, got ${files.length}`)
  const extractors = new Map<string, Promise<ImageExtractor>>()
  const features: Float32Array[] = []
  for (let start = 0; start < files.length; start += AT_ONCE) {
    signal.throwIfAborted()
    const pictures = await Promise.all(files.slice(start, start + AT_ONCE).map((path) => decode(path)))
    for (const [shape, alike] of runsOfOneShape(pictures)) {
      const [{ channels, height, width }] = alike as [Picture]
      if (!extractors.has(shape)) extractors.set(shape, extractorFor([channels, height, width]))
      const images = Buffer.concat(alike.map(({ pixels }) => pixels))
      const extractor = await extractors.get(shape)!
      features.push((await lookAt(extractor, { images, threads, signal, onProgress: () => {} })).features)
    }
    const done = Math.min(files.length, start + AT_ONCE)
    onProgress({ phase: `features of ${folder}`, done, total: files.length, unit: 'images' })
  }
  const all = new Float32Array(features.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of features) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

/** Neighbours of equal shape, in their order. */
function runsOfOneShape(pictures: Picture[]): [string, Picture[]][] {
  const runs: [string, Picture[]][] = []
  for (const picture of pictures) {
    const [last] = runs.slice(-1)
    if (last?.[0] === shapeOf(picture)) last[1].push(picture)
    else runs.push([shapeOf(picture), [picture]])
  }
  return runs
}

async function inception(inputShape: number[], options: LoadOptions): Promise<ImageExtractor> {
  return inceptionExtractor({ inputShape, ...(await loadInceptionWeights(inceptionV3(inputShape), options)) })
}
