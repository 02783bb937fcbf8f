/** The stylesheet. Its address carries its version, so it may be kept for good. */
import type { Route } from '../../http/route.ts'
import { stylesheet } from '../../views/style.ts'

export const stylePage: Route = (app) =>
  app.get('/style.css', (c) =>
    c.body(stylesheet, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    }),
  )
