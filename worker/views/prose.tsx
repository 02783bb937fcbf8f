/** Sentences from data, with D_f and D_r set as the symbols they are, and words in backticks as code. */

export const Prose = ({ text }: { text: string }) => (
  <>
    {text.split(/(\bD_[fr]\b|`[^`]+`)/).map((part) =>
      /^D_[fr]$/.test(part) ? (
        <>
          <i>D</i>
          <sub>{part[2]}</sub>
        </>
      ) : part.startsWith('`') ? (
        <code>{part.slice(1, -1)}</code>
      ) : (
        part
      ),
    )}
  </>
)
