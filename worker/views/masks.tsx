/** What the masks of a run are by their bits: how many weights were free to move. */
import { count, decimal } from './numbers.ts'

interface MaskProps {
  name: string
  sha256: string
  counted: { free: number; total: number } | string
}

export const Masks = ({ masks }: { masks: MaskProps[] }) =>
  masks.map(({ name, sha256, counted }) => (
    <p>
      Mask{' '}
      <a href={`/api/v1/artifacts/${sha256}?name=${name}`} download={name}>
        {name}
      </a>
      :{' '}
      {typeof counted === 'string'
        ? `${counted}.`
        : `${count(counted.free)} of ${count(counted.total)} weights were free to move, a density of ${decimal(
            counted.free / counted.total,
            4,
          )}, counted from its bits.`}
    </p>
  ))
