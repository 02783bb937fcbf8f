/** A region that scrolls sideways by itself, so that a wide table never widens the page. */
import type { Child } from 'hono/jsx'

/** `labelledBy` is the id of the table's caption. */
export const Scroll = ({ labelledBy, children }: { labelledBy: string; children?: Child }) => (
  // biome-ignore lint/a11y/useSemanticElements: a section with a name would be one more landmark for every table
  <div class="scroll" role="region" aria-labelledby={labelledBy} tabindex={0}>
    {children}
  </div>
)
