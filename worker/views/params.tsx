/** Parameters as a list of names and values. */

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

export const Params = ({ params }: { params: Record<string, unknown> }) => (
  <dl class="params">
    {Object.entries(params).map(([name, value]) => (
      <>
        <dt>{name}</dt>
        <dd>
          <code>{shown(value)}</code>
        </dd>
      </>
    ))}
  </dl>
)
