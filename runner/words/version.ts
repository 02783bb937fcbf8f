/** The version of this checkout. */
export { release as version } from '../../schema/parts/release.ts'
