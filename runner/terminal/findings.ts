/** What `palimpsest runner --check` prints. */

import { type Findings, passedSelfTest } from '../probe/probe.ts'
import { TOLERANCE } from '../probe/self-test.ts'
import { gibibytes } from '../words/numbers.ts'
import { styledData } from './output.ts'

export function findingsLines(findings: Findings): string[] {
  const { probe, processor, providers, driver } = findings
  const gpus = probe.gpus.map(({ name, memoryBytes, driver }) => `${name}, ${gibibytes(memoryBytes)}, driver ${driver}`)
  const rows: [string, string[]][] = [
    [
      'Versions',
      [
        Object.entries(probe.versions)
          .map((pair) => pair.join(' '))
          .join(', '),
      ],
    ],
    ['Processor', [`${processor}, ${gibibytes(probe.memoryBytes)} of memory`]],
    ['GPUs', driver.trouble ? [`none: ${driver.trouble}`] : [...gpus, `driver for CUDA ${driver.cuda ?? 'unknown'}`]],
    [
      'Providers',
      providers.map(({ name, works, trouble }) => `${name.padEnd(9)}${works ? 'works' : `no: ${trouble}`}`),
    ],
    ['Stages on', [`${probe.device.deviceClass}, ${probe.device.precision}`]],
    ['Self-test', [selfTestWords(findings)]],
    ...placementRows(findings),
  ]
  return rows.flatMap(([title, lines]) => lines.map((line, at) => `${(at === 0 ? title : '').padEnd(11)}${line}`))
}

/** What ran on the GPU; a machine without has no such line. */
function placementRows({ provider, selfTest: { strays } }: Findings): [string, string[]][] {
  if (provider === 'cpu') return []
  const words = strays.length === 0 ? 'all of its ops ran there' : `on the CPU ran: ${strays.join(', ')}`
  return [[provider.toUpperCase(), [words]]]
}

function selfTestWords(findings: Findings): string {
  const { selfTest } = findings
  const { error, largestDifference, sha256 } = selfTest
  const off =
    largestDifference === null ? '' : `off by ${largestDifference.toPrecision(2)} at most, ${TOLERANCE} is let pass`
  if (passedSelfTest(findings))
    return `${styledData('green', 'passed')}: two training steps, ${off}; ${sha256.slice(0, 12)}`
  return `${styledData('red', 'failed')}: ${error ?? off}; this machine would put wrong numbers on boards, and no server gives it work`
}
