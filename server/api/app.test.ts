import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, expect, test } from 'vitest'
import { openApi } from './test-api.ts'

const { call, parts } = await openApi(afterAll)

interface Operation {
  summary?: string
  security?: object[]
  tags?: string[]
  responses: object
}

test('the OpenAPI document is valid, and every operation says what it does and who may', async () => {
  const document = JSON.parse((await call('GET', '/api/openapi.json', { key: null })).text)
  const validation = await new Validator().validate(document)
  expect(validation.errors).toBeUndefined()
  expect(document.openapi).toMatch(/^3\.1/)
  const operations = Object.values<Record<string, Operation>>(document.paths).flatMap(
    Object.values<Operation>,
  )
  expect(operations.length).toBeGreaterThan(28)
  for (const operation of operations) {
    expect(operation.summary).toBeTruthy()
    expect(operation.tags).toHaveLength(1)
    expect(operation.security).toBeDefined()
    expect(Object.keys(operation.responses)).toContain('default')
  }
})

test('a parameter that takes a list names its values', async () => {
  const document = JSON.parse((await call('GET', '/api/openapi.json')).text)
  const { parameters } = document.paths['/api/v1/tasks/{taskId}/logs'].get
  const schemaOf = (name: string) =>
    parameters.find((parameter: { name: string }) => parameter.name === name).schema
  expect(schemaOf('level')).toMatchObject({
    type: 'array',
    items: { enum: ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] },
  })
  expect(schemaOf('source')).toMatchObject({ type: 'array', items: { enum: ['stdout', 'stderr', 'agent'] } })
})

test('every operation of the document exists, and refuses parameters that it does not know', async () => {
  const document = JSON.parse((await call('GET', '/api/openapi.json')).text)
  for (const [path, operations] of Object.entries<object>(document.paths)) {
    for (const method of Object.keys(operations)) {
      const { status, body } = await call(
        method.toUpperCase(),
        `${path.replaceAll(/{\w+}/g, 'x')}?nonsense=1`,
      )
      expect([method, path, status]).toEqual([method, path, 400])
      expect(body.errors).toEqual([
        { path: 'nonsense', message: expect.stringContaining('unknown parameter "nonsense"') },
      ])
    }
  }
})

test('the page that browses it takes nothing from another host', async () => {
  const page = await call('GET', '/api/docs', { key: null })
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]!)
  expect(assets.length).toBeGreaterThan(2)
  for (const asset of assets) {
    expect(asset).toMatch(/^\/api\/docs\//)
    expect((await call('GET', asset, { key: null })).status).toBe(200)
  }
  expect(page.text).not.toMatch(/<script>|<style>| on\w+=/)
  for (const path of ['package.json', '..%2Fpackage.json', '%2e%2e%2fpackage.json', 'index.html'])
    expect((await call('GET', `/api/docs/${path}`)).status).toBe(404)
})

test('a wrong method is 405 and says which are right; an unknown path is 404', async () => {
  const put = await call('PUT', 'tasks/t')
  expect(put).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } })
  expect(put.headers.get('allow')).toBe('GET, HEAD, PATCH, DELETE')
  for (const path of ['nothing', 'tasks/t/nothing', '/api', '/api/v2/tasks', 'tasks/']) {
    const answer = await call('GET', path)
    expect([path, answer.status]).toEqual([path, 404])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  }
})

test('probes tell whether the server is up, whether it can work, and figures, to everybody', async () => {
  const health = await call('GET', '/healthz', { key: null })
  expect(health).toMatchObject({ status: 200, body: { status: 'ok', version: '1.2.3', protocol: 1 } })
  expect(await call('GET', '/readyz', { key: null })).toMatchObject({
    status: 200,
    body: { parts: { store: 'ok' } },
  })
  await call('POST', 'tasks', { body: {} })
  expect((await call('GET', '/metrics', { key: null })).text).toContain('keruta_tasks{status="PENDING"} 1')
  parts.disk = () => Promise.reject(new Error('12 MB are left in /data'))
  const down = await call('GET', '/readyz', { key: null })
  expect(down).toMatchObject({
    status: 503,
    body: { status: 'unavailable', parts: { store: 'ok', disk: '12 MB are left in /data' } },
  })
  expect(down.headers.get('retry-after')).toBe('1')
})

test('a page of an allowed origin may call and read, one of another may not read', async () => {
  const preflight = (origin: string) =>
    call('OPTIONS', '/api/v1/tasks', {
      key: null,
      headers: { origin, 'access-control-request-method': 'POST' },
    })
  const allowed = await preflight('https://tools.example')
  expect(allowed.status).toBe(204)
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://tools.example')
  expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  const read = await call('GET', 'tasks', { headers: { origin: 'https://tools.example' } })
  expect(read.headers.get('access-control-allow-origin')).toBe('https://tools.example')
})
