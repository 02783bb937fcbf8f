/** Errors as a page, in the words of the API. */
import type { ApiError } from '../../schema/errors.ts'
import { documentOf, Page } from './layout.tsx'

const titles: Partial<Record<ApiError['code'], string>> = {
  not_found: 'Nothing is here',
  unknown_benchmark: 'No such benchmark',
  unknown_method: 'No such method',
  internal: 'Something broke',
}

export function errorPage(error: ApiError, requestId: string): string {
  const title = titles[error.code] ?? 'This cannot be shown'
  return documentOf(
    <Page title={title} crumbs={[{ href: '/', text: 'Boards' }]}>
      <h1>{title}</h1>
      <p class="lede">{error.message}</p>
      <p>
        <a href="/">All boards</a>, <a href="/methods">all methods</a> or <a href="/docs">the documentation</a> may
        help.
      </p>
      <p class="small muted">
        Code <code>{error.code}</code>, request <code>{requestId}</code>
      </p>
    </Page>,
  )
}
