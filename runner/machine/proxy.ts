/** The way out through a proxy, where the environment names one as curl and others read it: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in
 *  upper or lower case. Node's own `fetch` and `WebSocket` take it from here; a later Node does so by itself, but only when asked
 *  before it starts. */
import { UsageError } from '../words/usage.ts'

/** This machine itself is never reached through a proxy. */
const LOCAL = ['localhost', '127.0.0.1', '::1']

const variable = (name: string): string => process.env[name.toLowerCase()] || process.env[name] || ''

function addressOf(name: string): string {
  const text = variable(name)
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href
  throw new UsageError(`${name}: expected the address of a proxy, such as http://proxy.example:3128, got "${text}"`)
}

/** To be called once, before anything is sent. */
export async function useProxies(): Promise<void> {
  const [https, http] = ['HTTPS_PROXY', 'HTTP_PROXY'].map((name) => (variable(name) ? addressOf(name) : undefined))
  if (!https && !http) return
  // Only who has a proxy waits for it to be read.
  const { EnvHttpProxyAgent, setGlobalDispatcher } = await import('undici')
  const noProxy = [variable('NO_PROXY'), ...LOCAL].filter(Boolean).join(',')
  setGlobalDispatcher(
    new EnvHttpProxyAgent({ noProxy, ...(http && { httpProxy: http }), ...(https && { httpsProxy: https }) }),
  )
}
