/** How pages print numbers, durations, sizes, ranks and times. */
import { expect, test } from 'vitest'
import {
  decimal,
  duration,
  fileSize,
  NOT_MEASURED,
  plusMinus,
  rankRange,
  seconds,
  signed,
  significant,
  times,
  utc,
} from '../../worker/views/numbers.ts'

test('decimals have a real minus sign, no float noise, and 0 is 0', () => {
  expect(decimal(3.4130001068115234)).toBe('3.41')
  expect(decimal(-1.2)).toBe('\u22121.20')
  expect(decimal(0)).toBe('0')
  expect(decimal(-0)).toBe('0')
  expect(decimal(0.001)).toBe('0.00')
  expect(decimal(-0.001)).toBe('0.00')
  expect(decimal(12345.678, 1)).toBe('12\u2009345.7')
})

test('what is not a number is said in words', () => {
  for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(decimal(value)).toBe(NOT_MEASURED)
  expect(seconds(null)).toBe(NOT_MEASURED)
  expect(times(null)).toBe(NOT_MEASURED)
  expect(plusMinus(null)).toBe('one seed')
})

test('signs are printed unless the number rounds to 0', () => {
  expect([signed(0.25), signed(-0.25), signed(0), signed(0.001), signed(-0.001)]).toEqual([
    '+0.25',
    '\u22120.25',
    '0',
    '0.00',
    '0.00',
  ])
})

test('significant digits never turn into scientific notation', () => {
  expect([0.0613, 1.019, 12.44, 350.4, 0.0999999].map((value) => significant(value))).toEqual([
    '0.0613',
    '1.02',
    '12.4',
    '350',
    '0.100',
  ])
  expect(significant(1e-7, 1)).toBe('0.0000001')
  expect(times(0.061)).toBe('0.0610×')
})

test('durations and sizes carry their unit', () => {
  expect([2.36, 112, 7384].map(duration)).toEqual(['2.36\u2009s', '1\u2009min 52\u2009s', '2\u2009h 03\u2009min'])
  expect([3599.7, 59.6].map(duration)).toEqual(['1\u2009h 00\u2009min', '59.6\u2009s'])
  expect([87, 4_200_000].map(fileSize)).toEqual(['87\u2009B', '4.20\u2009MB'])
  expect(seconds(9.14)).toBe('9.14\u2009s')
})

test('a rank is one number or a range', () => {
  expect([rankRange({ low: 1, high: 1 }), rankRange({ low: 2, high: 4 })]).toEqual(['1', '2–4'])
})

test('times are shown in UTC', () => {
  expect(utc('2026-11-23T11:12:04.000Z')).toBe('2026-11-23 11:12\u2009UTC')
})

test('100,000 numbers print without noise and lose less than half a hundredth', () => {
  for (let i = 1; i <= 100_000; i++) {
    const value = Math.sin(i * 12.9898) * 10 ** (i % 7)
    const text = decimal(value)
    if (!/^\u2212?[\d\u2009]+\.\d\d$/.test(text)) throw new Error(`${value} was printed as ${text}`)
    const back = Number(text.replace('\u2212', '-').replaceAll('\u2009', ''))
    if (Math.abs(back - value) > 0.005 + 1e-6) throw new Error(`${value} was printed as ${text}`)
  }
})
