/** Names as people read them. */
import { visibleInLine } from '../../schema/parts/controls.ts'

/** A method as boards, charts and lines name it: with the label that tells two of its settings apart. */
export const labelled = ({ title, label = '' }: { title: string; label?: string }): string =>
  label ? `${title} (${visibleInLine(label)})` : title
