/** The line of the log that says what a training came to. */
import { expect, test } from 'vitest'
import { lossWords } from '../../runner/pipeline/training.ts'

test('a line has every loss of a few, and of many some from the first to the last', () => {
  expect(lossWords([])).toBe('no loss was descended')
  expect(lossWords([2.5])).toBe('mean losses 2.500')
  expect(lossWords([2.5, 1.25, 1])).toBe('mean losses 2.500 1.250 1.000')
  const many = lossWords(Array.from({ length: 600 }, (_, i) => i)).split(' ')
  expect(many.slice(0, 6)).toEqual(['mean', 'losses', '(40', 'of', '600)', '0.000'])
  expect(many).toHaveLength(5 + 40)
  expect(many.at(-1)).toBe('599.0')
})
