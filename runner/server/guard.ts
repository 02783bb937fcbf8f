/** Preloaded into wrangler: what it and workerd write is their owner's alone, private submissions among it; and once the process that
 *  started it is gone, its whole group ends, and workerd with it. */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) process.umask(0o077)
if (isMainThread && process.channel) {
  process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
  process.channel.unref()
}
