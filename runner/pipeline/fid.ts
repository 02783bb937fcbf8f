/** FID between any two of: evidence of generated images, features of real ones, statistics that others published, and folders of
 *  pictures. */
import { featuresOf, type Gaussian, gaussianOf } from '../science/fidelity/features.ts'
import { frechetDistance } from '../science/fidelity/frechet.ts'
import { gaussianOfStatistics } from '../science/fidelity/statistics.ts'
import type { MetricTools } from '../science/metric.ts'
import { CANONICAL_EXTRACTOR, UNNAMED } from '../science/tasks/generation/evidence/evidence.ts'
import { readFeatures } from '../science/tasks/generation/evidence/read.ts'
import { featuresOfPictures } from '../tasks/generation/pictures.ts'
import { UsageError } from '../words/usage.ts'
import { about, type NamedFile } from './files-of-arrays.ts'

interface Options {
  tools: Pick<MetricTools, 'multiply'>
  forgottenClass?: number | undefined
  /** Inception features of a folder of pictures, [n, 2048]. */
  picture(folder: string): Promise<Float32Array>
}

interface Side {
  path: string
  gaussian: Gaussian
  /** What saw the images; null where the file does not say. */
  extractor: string | null
  /** `n=500`, or which statistics these are. */
  fact: string
}

const INCEPTION_FEATURES = 2048

async function sideOf(file: NamedFile, { tools, forgottenClass, picture }: Options): Promise<Side> {
  const { path } = file
  if (file.kind === 'statistics') {
    const gaussian = about(path, () => gaussianOfStatistics(file.content))
    return { path, gaussian, extractor: null, fact: `statistics=${file.sha256.slice(0, 16)}` }
  }
  const { features, extractor } =
    file.kind === 'pictures'
      ? { features: featuresOf(await picture(path), INCEPTION_FEATURES, path), extractor: CANONICAL_EXTRACTOR }
      : about(path, () => {
          const { features, extractor } = readFeatures(file.content, { forgottenClass })
          return { features, extractor: extractor.id === UNNAMED ? null : extractor.id }
        })
  return { path, gaussian: await gaussianOf(features, tools.multiply), extractor, fact: `n=${features.count}` }
}

/** The distance with what it is exactly, and why it must be read with care. */
export async function fidBetween(generated: NamedFile, real: NamedFile, options: Options) {
  const [a, b] = [await sideOf(generated, options), await sideOf(real, options)]
  const dimension = a.gaussian.mean.length
  if (b.gaussian.mean.length !== dimension) {
    throw new UsageError(
      `${b.path}: expected ${dimension} dimensions like ${a.path}, got ${b.gaussian.mean.length}; both must be of one extractor`,
    )
  }
  if (a.extractor !== null && b.extractor !== null && a.extractor !== b.extractor) {
    throw new UsageError(`${a.path} was seen by ${a.extractor}, ${b.path} by ${b.extractor}: expected one extractor`)
  }
  const extractor = a.extractor ?? b.extractor ?? UNNAMED
  const name = extractor === CANONICAL_EXTRACTOR || extractor === UNNAMED ? 'fid' : 'classifier-fd'
  const facts = [`dim=${dimension}`, a.fact, b.fact.replace(/^n=/, 'm=')]
  const few = [a, b].filter(({ gaussian: { count } }) => count <= dimension).map(({ path }) => path)
  return {
    identity: [`${name}/${extractor}@1`, ...facts].join(';'),
    value: await frechetDistance(a.gaussian, b.gaussian, options.tools.multiply),
    warning:
      few.length === 0
        ? null
        : `${few.join(' and ')}: too few images for ${dimension} dimensions: the figure is biased upwards, and only comparable at the same numbers`,
  }
}

/** Features of folders by FID's Inception-v3, whose weights are looked for, and fetched, as datasets are. */
export const inceptionOf =
  (options: Parameters<typeof featuresOfPictures>[1]) =>
  (folder: string): Promise<Float32Array> =>
    featuresOfPictures(folder, options)
