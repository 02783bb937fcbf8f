/** Preloaded into wrangler: once the process that started it is gone, its whole group ends, and workerd with it. */
import { isMainThread } from 'node:worker_threads'

if (isMainThread && process.channel) {
  process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
  process.channel.unref()
}
