/** Joins the parts of a large artifact, which then can be read by its hash. Parts that do not hash to it as a whole are refused. */
export { params, response } from './upload.ts'

export const path = '/api/v1/artifacts/:sha256/complete'
