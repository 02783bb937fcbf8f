/** Words that both sides write: commands, parameters, names. */
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parametersOf } from '../../runner/science/parameters.ts'
import { paramText, readingsOf, runCommand, seedsText } from '../../runner/words/command.ts'
import { labelled } from '../../runner/words/names.ts'
import { noSuch } from '../../runner/words/nearest.ts'
import { byteSize, count, duration, fixed, gibibytes, plural, signed } from '../../runner/words/numbers.ts'

test('the first reading of a value as it is written is the value', () => {
  const value = fc.oneof(fc.string(), fc.jsonValue(), fc.constantFrom('null', '5', '.5', 'true', '"x"', ''))
  fc.assert(
    fc.property(value, (value) => {
      expect(readingsOf(paramText(value))[0]).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('a command names only what is not usual, and a shell reads its words back', () => {
  const command = runCommand({
    target: 'tiny',
    method: 'salun',
    params: { density: 0.5, clipNorm: null, mask: "it's $HOME" },
    usual: { density: 0.5, clipNorm: 1, mask: 'saliency' },
    seeds: [0, 2],
  })
  expect(command).toBe(
    `node runner/palimpsest.js run tiny --method salun --param clipNorm=null --param 'mask=it'\\''s $HOME' --seeds 0,2`,
  )
  const words = command.replace('node runner/palimpsest.js', "printf '%s\\n'")
  expect(spawnSync('sh', ['-c', words], { encoding: 'utf8' }).stdout.split('\n')).toContain("mask=it's $HOME")
})

test('parameters are described with type, range, default and sentence', () => {
  const params = z.strictObject({
    rate: z.number().positive().max(1).describe('Step size.').nullable().default(null),
    mask: z.enum(['hard', 'soft']).default('hard').describe('How.'),
    steps: z.int().min(1),
  })
  expect(parametersOf(params)).toEqual([
    { name: 'rate', type: 'number | null', range: 'more than 0, at most 1', default: null, description: 'Step size.' },
    { name: 'mask', type: 'hard | soft', range: '', default: 'hard', description: 'How.' },
    { name: 'steps', type: 'integer', range: 'at least 1', default: undefined },
  ])
})

test('a name that is not known is answered with the nearest and with all that may be named', () => {
  expect(noSuch('method', 'salum', ['ft', 'salun'])).toBe('no method "salum"; did you mean "salun"?; known: ft, salun')
  // From an iterator, which can be read once.
  expect(noSuch('method', 'xyz', new Set(['ft']).values())).toBe('no method "xyz"; known: ft')
  expect(noSuch('class', 'c-1', ['c-0', 'all'], ['all'])).toBe('no class "c-1"; did you mean "c-0"?; known: all')
})

test('a label stands in brackets behind the title', () => {
  expect([labelled({ title: 'SalUn' }), labelled({ title: 'SalUn', label: 'random mask' })]).toEqual([
    'SalUn',
    'SalUn (random mask)',
  ])
})

test('numbers have a real minus sign, no sign at 0, and groups of digits from 10,000 on', () => {
  expect([fixed(-1.234), fixed(-0.04, 1), fixed(0)]).toEqual(['−1.23', '0.0', '0.00'])
  expect([signed(1.5), signed(-1.5), signed(0.001)]).toEqual(['+1.50', '−1.50', '0.00'])
  expect([999, 1000, 9999, 10_000, 1_234_567, -45_000].map(count)).toEqual([
    '999',
    '1000',
    '9999',
    '10,000',
    '1,234,567',
    '−45,000',
  ])
  expect([plural(1, 'class', 'classes'), plural(2, 'class', 'classes'), plural(0, 'run')]).toEqual([
    '1 class',
    '2 classes',
    '0 runs',
  ])
})

test('durations never say 60 of a unit', () => {
  expect([0.424, 9.996, 12.34, 59.96, 245, 3599.7, 7384, 7199.9].map(duration)).toEqual([
    '0.42 s',
    '10.0 s',
    '12.3 s',
    '1 min 00 s',
    '4 min 05 s',
    '1 h 00 min',
    '2 h 03 min',
    '2 h 00 min',
  ])
})

test('sizes are in powers of a thousand, memory in powers of 1024', () => {
  expect([87, 155_300_000, 4_200_000].map(byteSize)).toEqual(['87 B', '155 MB', '4.20 MB'])
  expect(gibibytes(16 * 2 ** 30)).toBe('16.0 GiB')
})

test('many seeds that follow one another are a range, few or others a list', () => {
  expect(seedsText([0, 1, 2])).toBe('0,1,2')
  expect(seedsText([3, 4, 5, 6])).toBe('3-6')
  expect(seedsText([0, 1, 2, 4])).toBe('0,1,2,4')
  expect(seedsText([1, 0, 2, 3])).toBe('1,0,2,3')
})
