/** How an idle runner waits for work, with a socket and without. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitForWork } from '../../runner/agent/wake.ts'
import type { WakeMessage } from '../../schema/protocol/wake.ts'

/** The runner's end of a socket; the test is the server. */
class Socket extends EventTarget {
  sent: string[] = []
  closed = false
  say(message: WakeMessage | 'pong') {
    const data = message === 'pong' ? message : JSON.stringify(message)
    this.dispatchEvent(new MessageEvent('message', { data }))
  }
  send(text: string) {
    this.sent.push(text)
  }
  close() {
    if (this.closed) return
    this.closed = true
    this.dispatchEvent(new Event('close'))
  }
}

/** A server that greets each socket with `greet`. */
function server(greet: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const socket = async () => {
    const opened = new Socket()
    sockets.push(opened)
    setTimeout(() => greet(opened), 5)
    return opened as unknown as WebSocket
  }
  return { sockets, waiting: waitForWork({ socket }) }
}
const welcome = { kind: 'welcome', askEveryMs: 60_000, pingEveryMs: 60_000 } as const
const running = new AbortController().signal
const timed = async (waited: Promise<void>) => {
  const start = performance.now()
  await waited
  return performance.now() - start
}

test('a runner asks once more when its socket is open, then waits until it is woken', async () => {
  const { sockets, waiting } = server((socket) => socket.say(welcome))
  await waiting.wait(60_000, running)
  const woken = waiting.wait(60_000, running)
  expect(await Promise.race([woken, sleep(50, 'still waits')])).toBe('still waits')
  sockets[0]!.say({ kind: 'wake' })
  await woken
  // One that was woken for nothing takes a new socket: the server wakes each one once.
  expect(sockets[0]!.closed).toBe(true)
  await waiting.wait(60_000, running)
  expect(sockets).toHaveLength(2)
  waiting.leave()
  expect(sockets[1]!.closed).toBe(true)
})

test('where no socket opens it asks as often as the server says, and does not try a socket each time', async () => {
  const { sockets, waiting } = server((socket) => socket.close())
  for (let asked = 0; asked < 5; asked++) {
    const ms = await timed(waiting.wait(40, running))
    expect(ms).toBeGreaterThan(25)
    expect(ms).toBeLessThan(200)
  }
  expect(sockets).toHaveLength(1)
})

test('a socket that ends while waiting is followed by asking now and then, not at once', async () => {
  const { sockets, waiting } = server((socket) => socket.say(welcome))
  await waiting.wait(40, running)
  setTimeout(() => sockets[0]!.close(), 10)
  expect(await timed(waiting.wait(100, running))).toBeGreaterThan(75)
  await waiting.wait(40, running)
  expect(sockets).toHaveLength(1)
})

test('a socket that answers no ping is left', async () => {
  const { sockets, waiting } = server((socket) => socket.say({ ...welcome, pingEveryMs: 20 }))
  await waiting.wait(40, running)
  await waiting.wait(40, running)
  expect(sockets[0]!.sent).toEqual(['ping', 'ping'])
  expect(sockets[0]!.closed).toBe(true)
})

test('with a socket it asks all the same as often as the server says', async () => {
  const { sockets, waiting } = server((socket) => socket.say({ ...welcome, askEveryMs: 50 }))
  await waiting.wait(60_000, running)
  expect(await timed(waiting.wait(60_000, running))).toBeLessThan(500)
  expect(sockets.map(({ closed }) => closed)).toEqual([false])
  waiting.leave()
})

test('waiting ends at once when the runner stops', async () => {
  for (const greet of [(socket: Socket) => socket.say(welcome), (socket: Socket) => socket.close(), () => {}]) {
    const { sockets, waiting } = server(greet)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 30)
    const waited = (async () => {
      for (;;) await waiting.wait(60_000, stop.signal)
    })()
    await expect(waited).rejects.toThrow(/abort/i)
    waiting.leave()
    expect(sockets[0]!.closed).toBe(true)
  }
})
