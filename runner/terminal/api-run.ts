/** A run of a server, as commands that wait for it tell its end. */
import type { Run } from '../../schema/api/run.ts'
import { suiteWith } from '../pipeline/catalogue.ts'
import { REFERENCE } from '../science/catalogue/catalogue.ts'
import { labelled } from '../words/names.ts'
import { fixed } from '../words/numbers.ts'
import { styled } from './output.ts'

/** A run that has ended, in a line. */
export function apiRunLine({ benchmark, title, label, seed, state, metrics, avgGap, method, stages }: Run): string {
  const { slug, request } = benchmark
  const part = suiteWith(slug) && request.kind === 'class' ? `, class ${request.label}` : ''
  const name = `${labelled({ title, label })}${part}, seed ${seed}`
  if (state !== 'done') {
    const broken = stages.find(({ reason }) => reason !== null)
    return `${styled('red', '✗')} ${name}  ${state}${broken ? `: ${broken.reason}: ${broken.message}` : ''}`
  }
  const values = Object.values(metrics).map(({ title, value }) => `${title} ${fixed(value)}`)
  const gap = avgGap === null || method === REFERENCE ? '' : `  gap ${fixed(avgGap)}`
  return `${styled('green', '✓')} ${name}  ${values.join('  ')}${gap}`
}
