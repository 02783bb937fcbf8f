/** The way out for a local server's webhooks. Workers of the platform begin in the public network; this machine stands in networks
 *  of its own, into which a public name may lead. So names are resolved here, and only public addresses are connected to. */
import { randomBytes } from 'node:crypto'
import { lookup as resolve } from 'node:dns'
import { createServer, request as http, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as https } from 'node:https'
import { type AddressInfo, isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { STATUS, TARGET } from '../../schema/webhook-relay.ts'
import { HOST } from './door.ts'

const TIMEOUT_MS = 15_000
/** Of a request, for this hop only. */
const DROPPED = /^(host|connection|keep-alive|transfer-encoding|te|trailer|upgrade|proxy-.*|cf-.*|x-palimpsest-.*)$/i

export interface Relay {
  url: string
  close(): void
}

export interface RelayOptions {
  /** Which addresses may be connected to. */
  allows?: (address: string) => boolean
  lookup?: typeof resolve | undefined
}

const isPublic = (address: string): boolean => ipaddr.process(address).range() === 'unicast'

export async function openRelay({ allows = isPublic, lookup = resolve }: RelayOptions = {}): Promise<Relay> {
  // Who does not know the path is told nothing.
  const path = `/${randomBytes(16).toString('hex')}`
  const lookUpAllowed: LookupFunction = (host, options, done) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      const [first, ...more] = (found ?? []).filter(({ address }) => allows(address))
      if (error || !first) done(error ?? new Error(`${host} has no address that may be connected to`), '', 0)
      else if (options.all) done(null, [first, ...more])
      else done(null, first.address, first.family)
    })

  const pass = (incoming: IncomingMessage, answer: ServerResponse) => {
    const url = URL.parse(String(incoming.headers[TARGET]))
    // Why nothing came is for nobody to know: it would tell what this machine can reach.
    const none = () => void (answer.headersSent || answer.writeHead(502).end())
    if (incoming.method !== 'POST' || incoming.url !== path || !url) return void answer.writeHead(404).end()
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) && !allows(host)) return none()
    const headers = Object.entries(incoming.headers).filter(([name]) => !DROPPED.test(name))
    const far = (url.protocol === 'https:' ? https : http)(url, {
      method: 'POST',
      headers: Object.fromEntries(headers),
      lookup: lookUpAllowed,
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    far.once('response', (response) => {
      const { statusCode, headers } = response
      const after = headers['retry-after']
      answer
        .writeHead(200, { [STATUS]: String(statusCode), ...(after !== undefined && { 'retry-after': after }) })
        .end()
      response.destroy()
    })
    far.on('error', none)
    incoming.pipe(far)
  }

  const server = createServer(pass)
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(0, HOST, done)
  })
  server.unref()
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${HOST}:${port}${path}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
