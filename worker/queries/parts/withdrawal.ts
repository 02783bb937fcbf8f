/** What is shown of a submission that left the boards. */
import type { Withdrawal } from '../../../schema/api/submission.ts'
import type { submissions } from '../../../schema/tables/submissions.ts'
import { isoTime } from '../../bindings/database.ts'

type Row = typeof submissions.$inferSelect

export const withdrawalOf = ({ withdrawnAt, withdrawnBy, withdrawnReason }: Row): Withdrawal | null =>
  withdrawnAt === null ? null : { at: isoTime(withdrawnAt), by: withdrawnBy ?? 'admin', reason: withdrawnReason ?? '' }

/** None once it is withdrawn: it may be why. */
export const shownLabel = ({ label, withdrawnAt }: Pick<Row, 'label' | 'withdrawnAt'>): string =>
  withdrawnAt === null ? label : ''
