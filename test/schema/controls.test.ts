/** The patterns of names and labels against the categories of Unicode that they write out. */
import { expect, test } from 'vitest'
import { plainText, printable, visibleInLine } from '../../schema/parts/controls.ts'
import { runnerName } from '../../schema/protocol/enrol.ts'

/** The Basic Multilingual Plane: the API's patterns are for engines that know no others by their codes. */
const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCodePoint(code))
const differing = (pattern: RegExp, refused: RegExp) =>
  characters
    .filter((each) => pattern.test(each) === refused.test(each))
    .map((each) => each.codePointAt(0)!.toString(16))

test('labels hold everything but control characters, line separators and what changes direction', () => {
  expect(differing(plainText, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u)).toEqual([])
})

test('names hold nothing that has no shape either: format characters, halves of pairs, private use', () => {
  expect(differing(printable, /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/u)).toEqual([])
  expect(runnerName.safeParse('\ud800').success).toBe(false)
  expect(runnerName.safeParse('Ada’s 机器 🖥').success).toBe(true)
})

test('what is refused is shown by its code', () => {
  expect(visibleInLine('a\u001b[31m\u202eb\u2028')).toBe('a\\u001b[31m\\u202eb\\u2028')
})
