/** Parameters as a list of names and values. */
import { paramText } from '../../runner/words/command.ts'

export const Params = ({ params }: { params: Record<string, unknown> }) => (
  <dl class="params">
    {Object.entries(params).map(([name, value]) => (
      <>
        <dt>{name}</dt>
        <dd>
          <code>{paramText(value)}</code>
        </dd>
      </>
    ))}
  </dl>
)
