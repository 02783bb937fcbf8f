/** The frame of every page: header, breadcrumb, title, content, footer. */
import type { Child } from 'hono/jsx'
import { visible } from '../../schema/parts/controls.ts'
import { styleVersion } from './style.ts'

export interface PageProps {
  title: string
  /** One sentence for search engines and link previews. */
  description?: string
  /** Address of the section in the navigation that the page belongs to. */
  section?: string
  crumbs?: { href: string; text: string }[]
  /** Reload after this many seconds. */
  refreshSeconds?: number | undefined
  /** A script keeps the page up to date: it reloads only where scripts are off. */
  live?: boolean
  /** This page's data as JSON. */
  json?: string
  head?: Child
  children?: Child
}

const sections = [
  { href: '/', text: 'Boards' },
  { href: '/methods', text: 'Methods' },
  { href: '/queue', text: 'Queue' },
  { href: '/docs', text: 'Docs' },
  { href: '/docs/api', text: 'API' },
]

const Refresh = ({ seconds, scripted }: { seconds: number; scripted: boolean }) => {
  const meta = <meta http-equiv="refresh" content={String(seconds)} />
  return scripted ? <noscript>{meta}</noscript> : meta
}

export const Page = ({
  title,
  description,
  section,
  crumbs = [],
  refreshSeconds,
  live,
  json,
  head,
  children,
}: PageProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>
        {title === 'Palimpsest' ? 'Palimpsest, a benchmark for machine unlearning' : `${title} · Palimpsest`}
      </title>
      {description && <meta name="description" content={description} />}
      {refreshSeconds !== undefined && <Refresh seconds={refreshSeconds} scripted={live ?? false} />}
      {live && <script src="/live.js" type="module" />}
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      <link rel="preload" href="/fonts/source-sans-3.woff2" as="font" type="font/woff2" crossorigin="" />
      <link rel="stylesheet" href={`/style.css?v=${styleVersion}`} />
      {json && <link rel="alternate" type="application/json" href={json} />}
      {head}
    </head>
    <body>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <div class="wrap">
          <a class="wordmark" href="/">
            Palimpsest
          </a>
          <nav aria-label="Main">
            <ul>
              {sections.map(({ href, text }) => (
                <li>
                  <a href={href} {...(href === section && { 'aria-current': 'page' })}>
                    {text}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        </div>
      </header>
      <main id="main" class="wrap">
        {crumbs.length > 0 && (
          <nav class="crumbs" aria-label="Breadcrumb">
            {crumbs.map(({ href, text }, index) => (
              <>
                {index > 0 && ' / '}
                <a href={href}>{text}</a>
              </>
            ))}
          </nav>
        )}
        {children}
      </main>
      <footer class="foot">
        <div class="wrap">
          <p>Palimpsest measures what remains of data that a model was told to forget.</p>
          {json && (
            <p>
              <a href={json}>This page as JSON</a>
            </p>
          )}
          <p>MIT licence</p>
        </div>
      </footer>
    </body>
  </html>
)

/** The page as a document, in which no text of others turns what stands beside it about. */
export const documentOf = (page: unknown): string => visible(`<!doctype html>${page}`)

interface LiveNoteProps {
  live: boolean
  path: string
  seconds: number
  /** Where a script hears what is new. */
  socket?: string
}

/** Live updates: said, and stopped by a link. */
export const LiveNote = ({ live, path, seconds, socket }: LiveNoteProps) => (
  <div class="live">
    {live ? (
      <>
        {socket ? (
          <p data-live={socket} data-live-status>
            Not finished: this page updates by itself, or every {seconds} seconds where scripts are off.
          </p>
        ) : (
          <p>Not finished: this page reloads every {seconds} seconds.</p>
        )}
        <p>
          <a href={`${path}?live=0`}>Pause updates</a>
        </p>
      </>
    ) : (
      <>
        <p>Not finished; updates are paused.</p>
        <p>
          <a href={path}>Resume updates</a>
        </p>
      </>
    )}
  </div>
)

export const REFRESH_SECONDS = 15
