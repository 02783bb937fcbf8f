/** What the stage of each seed does: every reason in the protocol's order, then a stage that ends well but blocks its thread. */
import { failureReasons } from '../../schema/protocol/fail.ts'

export const faults = [...failureReasons, 'blocks'] as const
