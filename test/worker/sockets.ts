/** Sockets to the app, as tests listen to them. */
import { expect } from 'vitest'
import { ask } from './support.ts'

const PATIENCE_MS = 2000

/** Opens a socket; `next` is the next message that was not read yet, and fails when none comes. */
export async function openSocket<Message>(path: string, token?: string) {
  const answer = await ask(path, { token, headers: { upgrade: 'websocket' } })
  expect(answer.status).toBe(101)
  const socket = answer.webSocket!
  socket.accept()
  const unread: Message[] = []
  let wake = () => {}
  socket.addEventListener('message', ({ data }) => {
    unread.push(JSON.parse(data as string))
    wake()
  })
  return {
    unread,
    async next(): Promise<Message> {
      while (unread.length === 0) {
        await new Promise<void>((done, fail) => {
          wake = done
          setTimeout(() => fail(new Error(`nothing was heard for ${PATIENCE_MS} ms`)), PATIENCE_MS)
        })
      }
      return unread.shift()!
    },
    async leave(): Promise<void> {
      const closed = new Promise((done) => socket.addEventListener('close', done))
      socket.close()
      await closed
    },
  }
}
