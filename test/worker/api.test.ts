/** The API at large: its description, its lists, and its refusals. */
import { expect, test } from 'vitest'
import { ask, errorOf, read, SLUG, useFreshDatabase } from './support.ts'

useFreshDatabase()

test('the service says that it is well', async () => {
  expect(await read(await ask('/health'))).toEqual({ status: 'ok' })
})

test('the OpenAPI document describes every route of the API', async () => {
  const document = await read<{ openapi: string; paths: Record<string, Record<string, unknown>> }>(
    await ask('/api/v1/openapi.json'),
  )
  expect(document.openapi).toBe('3.1.0')
  const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.keys(verbs).map((verb) => `${verb} ${path}`),
  )
  expect(operations).toEqual(
    expect.arrayContaining([
      'get /api/v1/benchmarks',
      'get /api/v1/benchmarks/{slug}/board',
      'post /api/v1/submissions',
      'post /api/v1/submissions/{id}/cancel',
      'post /api/v1/jobs/lease',
      'post /api/v1/jobs/{key}/renew',
      'post /api/v1/jobs/{key}/finish',
      'put /api/v1/artifacts/{sha256}',
      'delete /api/v1/tokens/{id}',
    ]),
  )
})

test('benchmarks and methods are listed, methods with the JSON Schema of their parameters', async () => {
  const { benchmarks } = await read<{ benchmarks: { slug: string }[] }>(await ask('/api/v1/benchmarks'))
  expect(benchmarks.map(({ slug }) => slug)).toContain(SLUG)
  interface Described {
    on: Record<string, { properties: Record<string, { default: unknown }> }>
  }
  const on = async (id: string) => (await read<Described>(await ask(`/api/v1/methods/${id}`))).on
  // A classifier is fine-tuned by SGD with momentum for some epochs, a diffusion model by Adam for some steps.
  const ft = await on('ft')
  expect(ft.classification?.properties.momentum?.default).toBe(0.9)
  expect(ft.generation?.properties).toHaveProperty('steps')
  expect(Object.keys(await on('esd'))).toEqual(['generation'])
})

test('what does not exist is refused in JSON under /api and as a page elsewhere', async () => {
  expect(await errorOf(await ask('/api/v1/nothing'))).toMatchObject({ status: 404, code: 'not_found' })
  expect(await errorOf(await ask('/api/v1/methods/magic'))).toMatchObject({ status: 404, code: 'unknown_method' })
  const page = await ask('/boards/nothing')
  expect(page.status).toBe(404)
  expect(page.headers.get('content-type')).toContain('text/html')
  expect(await page.text()).toContain('no benchmark &quot;nothing&quot;; known: ')
})

test.each([
  ['TRACE', '/api/v1/submissions', 405, 'GET, HEAD, POST'],
  ['OPTIONS', '/api/v1/submissions', 405, 'GET, HEAD, POST'],
  ['PUT', `/api/v1/benchmarks/${SLUG}`, 405, 'GET, HEAD'],
  ['GET', '/api/v1/jobs/lease', 405, 'POST'],
  // Beside /api/v1/runners/:id, which answers PATCH and DELETE.
  ['OPTIONS', '/api/v1/runners/enrol', 405, 'POST'],
  ['OPTIONS', '/api/v1/runners/wake', 405, 'GET, HEAD'],
  ['TRACE', '/', 405, 'GET, HEAD'],
  ['POST', '/health', 405, 'GET, HEAD'],
  ['TRACE', '/nothing/is/here', 501, null],
  ['DELETE', '/nothing/is/here', 404, null],
])('%s %s answers %i in JSON and says what is allowed', async (method, path, status, allow) => {
  const answer = await ask(path, { method })
  expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow])
  const { message } = await errorOf(answer)
  if (status === 405) expect(message).toBe(`expected ${allow!.replaceAll(', ', ' or ')} at this address, got ${method}`)
  if (status === 501) expect(message).toMatch(/^expected one of GET, HEAD, .*POST.*, got TRACE$/)
})

test('a query that is out of range is refused with the field', async () => {
  const { message } = await errorOf(await ask('/api/v1/runs?limit=1000'))
  expect(message).toBe('query.limit: expected at most 100, got "1000"')
})
