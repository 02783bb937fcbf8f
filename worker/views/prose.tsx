/** Sentences from data, with D_f and D_r set as the symbols they are. */

export const Prose = ({ text }: { text: string }) => (
  <>
    {text.split(/(\bD_[fr]\b)/).map((part) =>
      part.startsWith('D_') && part.length === 3 ? (
        <>
          <i>D</i>
          <sub>{part[2]}</sub>
        </>
      ) : (
        part
      ),
    )}
  </>
)
