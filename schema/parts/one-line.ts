/** Text that is shown on a line with other things, such as a label. */
import { z } from 'zod'
import { plainText } from './controls.ts'

export const oneLine = z.string().regex(plainText, 'expected no control characters')
