/** Errors as a page, in the words of the API. */
import type { ApiError } from '../../schema/errors.ts'

export const errorPage = (error: ApiError, requestId: string, path: string) => (
  <p>
    {error.code} {error.message} {requestId} {path}
  </p>
)
