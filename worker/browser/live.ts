/** Keeps the page of a run up to date. The server tells what is new over a socket: progress and log lines are put in their
 *  places; after any other change the page is fetched again and its parts are exchanged, so the server alone draws them. */
import type { LiveLines, LiveMessage } from '../durable/live-event.ts'
import { linePieces, TAIL_LINES } from '../views/log-line.ts'

const PING_MS = 20_000
const SILENCE_MS = 45_000
const LONGEST_PAUSE_MS = 15_000
const KEPT_APART_MS = 300

const path = document.querySelector<HTMLElement>('[data-live]')?.dataset.live
const find = (name: string, value: string) =>
  document.querySelector<HTMLElement>(`[data-${name}="${CSS.escape(value)}"]`)

let socket: WebSocket | null = null
let heard = Date.now()
let pauseMs = 500
let over = false
let busy = false
let again = false

function say(text: string) {
  const status = document.querySelector('[data-live-status]')
  if (status && status.textContent !== text) status.textContent = text
}

async function refresh() {
  again = true
  if (busy) return
  busy = true
  while (again && !over) {
    again = false
    try {
      const answer = await fetch(location.href)
      if (answer.ok) exchange(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    } catch {
      // Whatever ended the connection ends the socket too, and a new socket comes here again.
    }
    await new Promise((done) => setTimeout(done, KEPT_APART_MS))
  }
  busy = false
}

function exchange(page: Document) {
  const focused = document.activeElement
  for (const part of document.querySelectorAll<HTMLElement>('[data-part]')) {
    const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`)
    if (!fresh || fresh.innerHTML === part.innerHTML) continue
    const open = [...part.querySelectorAll('details')].map((details) => details.open)
    const refocused = focused && part.contains(focused) ? focused : null
    part.replaceChildren(...fresh.childNodes)
    for (const [index, details] of part.querySelectorAll('details').entries()) {
      details.open = open[index] ?? details.open
    }
    if (refocused) refocus(part, refocused)
  }
  document.title = page.title
  if (!page.querySelector('[data-live]')) {
    over = true
    document.querySelector('.live')?.remove()
    socket?.close()
  }
}

function refocus(part: HTMLElement, focused: Element) {
  const href = focused.getAttribute('href')
  const same = href === null ? '[tabindex]' : `a[href="${CSS.escape(href)}"]`
  part.querySelector<HTMLElement>(same)?.focus({ preventScroll: true })
}

/** False where lines are missing before these. */
function append({ of, offset, end, line, lines }: LiveLines): boolean {
  const list = find('log', of)
  if (!list) return false
  const known = Number(list.dataset.end)
  if (end <= known) return true
  if (offset !== known) return false
  const { page = '', prefix = '' } = list.dataset
  for (const [index, written] of lines.entries()) {
    const { id, href, label, number, text } = linePieces(written, line + index + 1, { page, prefix })
    const link = Object.assign(document.createElement('a'), { href, ariaLabel: label, textContent: number })
    const item = Object.assign(document.createElement('li'), { id })
    item.append(link, text)
    list.append(item)
  }
  list.dataset.end = String(end)
  while (list.childElementCount > TAIL_LINES) list.firstElementChild?.remove()
  return true
}

function hear({ key, changed, progress, log }: LiveMessage) {
  const bar = find('progress', key)
  if (progress !== null && bar) bar.innerHTML = progress
  const appended = log === null || changed || append(log)
  if (changed || !appended || (progress !== null && !bar)) refresh()
}

function connect() {
  if (over || path === undefined) return
  const opening = new WebSocket(location.origin.replace(/^http/, 'ws') + path)
  let opened = false
  socket = opening
  opening.onopen = () => {
    opened = true
    pauseMs = 500
    heard = Date.now()
    say('Live: this page updates by itself.')
    // What happened while nobody listened.
    refresh()
  }
  opening.onmessage = ({ data }: MessageEvent<string>) => {
    heard = Date.now()
    if (data !== 'pong') hear(JSON.parse(data) as LiveMessage)
  }
  opening.onclose = () => {
    if (socket !== opening || over) return
    socket = null
    say('Reconnecting; what you see may be old.')
    // Where sockets do not come through, the page is fetched now and then all the same.
    if (!opened) refresh()
    setTimeout(connect, pauseMs * (0.5 + Math.random() / 2))
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

/** A dead connection says nothing, not even that it ended. */
function leave() {
  const left = socket
  left?.close()
  left?.dispatchEvent(new CloseEvent('close'))
}

connect()
addEventListener('offline', leave)
setInterval(() => {
  if (socket?.readyState !== WebSocket.OPEN) return
  if (Date.now() - heard > SILENCE_MS) leave()
  else socket.send('ping')
}, PING_MS)
