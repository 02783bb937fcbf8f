/** The metrics of a board by their identities, each linked to its definition. */
import type { Column } from '../../schema/api/board.ts'

export const MetricLinks = ({ columns }: { columns: Column[] }) => (
  <>
    {columns.map(({ id, identity }, index) => (
      <>
        {index > 0 && ', '}
        <a href={`/docs#metric-${id}`}>
          <code>{identity}</code>
        </a>
      </>
    ))}
  </>
)
