/** A runner as a process: the real agent with a quick stage. It writes what it says to a file, line by line, before anything is
 *  sent, so that a kill takes nothing of it away. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { runnerAccess } from '../../runner/agent/access.ts'
import { createClient } from '../../runner/agent/client.ts'
import { enrol, identityFor } from '../../runner/agent/identity.ts'
import type { AgentEvent } from '../../runner/agent/job-context.ts'
import { runLoop } from '../../runner/agent/loop.ts'
import { localFaultOf } from '../../runner/store/local-fault.ts'
import { openStore } from '../../runner/store/store.ts'
import { LOCAL_FAULT_CODE } from '../../runner/words/usage.ts'
import { chaosStage } from './chaos-stage.ts'
import { probe } from './probe.ts'

const {
  CHAOS_SERVER: server,
  CHAOS_HOME: home,
  CHAOS_SECRET: secret,
  CHAOS_DIARY: diary,
} = process.env as Record<string, string>
process.on('disconnect', () => process.exit(1))

const emit = (event: AgentEvent) => {
  if (event.kind === 'trouble') process.stderr.write(`${event.message}\n`)
  const { kind } = event
  if (kind !== 'leased' && kind !== 'log' && kind !== 'done') return
  appendFileSync(diary!, `${JSON.stringify({ kind, key: event.key, line: kind === 'log' ? event.line : '' })}\n`)
}

const open = createClient({ server: server!, retryForMs: 600_000 })
const identity =
  (await identityFor(home!, open)) ?? (await enrol({ home: home!, client: open }, { secret: secret!, name: 'chaos' }))
const store = openStore(home!)
const never = new AbortController().signal
try {
  await runLoop({
    client: createClient({ server: server!, access: runnerAccess({ client: open, identity, onTrouble: () => {} }) }),
    identity,
    store,
    places: { directories: [], cache: join(home!, 'datasets') },
    threads: 1,
    provider: 'cpu',
    probe,
    runStage: chaosStage(store),
    drain: never,
    signal: never,
    emit,
  })
} catch (error) {
  // As the command ends then.
  const fault = localFaultOf(error)
  if (!fault) throw error
  process.stderr.write(`${fault.message}\n`)
  process.exit(LOCAL_FAULT_CODE)
}
