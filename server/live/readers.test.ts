import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import { transports } from '#server/testing/readers.ts'
import { TestServer } from '#server/testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
})
afterAll(() => server.dispose())

const post = (taskId: string, from: number, to: number, fields: object = {}) =>
  server.post(
    `/tasks/${taskId}/logs`,
    range(from, to).map(n => ({ source: 'stdout', level: 'INFO', message: `line ${n}`, ...fields })),
  )
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const seqs = (entries: LogEntry[]) => entries.map(({ seq }) => seq)

describe.each(transports)('A reader over %s', (name, connect) => {
  const task = (what: string) => `${name.replaceAll(' ', '-')}-${what}`

  test('gets what is stored after its cursor, then what comes, once and in order', async () => {
    const id = task('cursor')
    await post(id, 1, 50)
    const reader = connect(server.url, id, { after: 20 })
    await reader.ready
    await post(id, 51, 60)
    await expect.poll(() => reader.entries.length).toBe(40)
    expect(seqs(reader.entries)).toEqual(range(21, 60))
    expect(reader.entries[0]).toEqual({
      id: `${id}:21`,
      taskId: id,
      seq: 21,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      source: 'stdout',
      level: 'INFO',
      message: 'line 21',
    })
    reader.close()
  })

  test('misses nothing and sees nothing twice when it comes while lines pour in', async () => {
    const id = task('overlap')
    await post(id, 1, 2000)
    const writing = (async () => {
      for (let from = 2001; from <= 6000; from += 100) await post(id, from, from + 99)
    })()
    const readers = [connect(server.url, id, { after: 0 }), connect(server.url, id, { after: 1000 })]
    await writing
    for (const [index, reader] of readers.entries()) {
      await expect.poll(() => reader.entries.length, { timeout: 10_000 }).toBe(index === 0 ? 6000 : 5000)
      expect(seqs(reader.entries)).toEqual(range(index === 0 ? 1 : 1001, 6000))
      reader.close()
    }
  })

  test('without a cursor gets only what comes from now on', async () => {
    const id = task('now')
    await post(id, 1, 5)
    const reader = connect(server.url, id)
    await reader.ready
    await post(id, 6, 7)
    await expect.poll(() => seqs(reader.entries)).toEqual([6, 7])
    reader.close()
  })

  test('of a task that does not exist waits for it', async () => {
    const id = task('unknown')
    const reader = connect(server.url, id, { after: 0 })
    await reader.ready
    await post(id, 1, 2)
    await expect.poll(() => seqs(reader.entries)).toEqual([1, 2])
    reader.close()
  })

  test('gets only what its filter lets through, stored and live', async () => {
    const id = task('filter')
    for (const level of ['INFO', 'ERROR', 'INFO', 'ERROR']) await post(id, 1, 1, { level })
    const errors = connect(server.url, id, { after: 0, levels: ['ERROR'] })
    const found = connect(server.url, id, { after: 0, search: 'LINE 2' })
    await Promise.all([errors.ready, found.ready])
    for (const level of ['INFO', 'ERROR']) await post(id, 2, 2, { level })
    await expect.poll(() => seqs(errors.entries)).toEqual([2, 4, 6])
    await expect.poll(() => seqs(found.entries)).toEqual([5, 6])
    errors.close()
    found.close()
  })

  test('goes on after lines were deleted, with seqs that go on too', async () => {
    const id = task('deleted')
    await post(id, 1, 3)
    await server.api(`/tasks/${id}/logs`, { method: 'DELETE' })
    const reader = connect(server.url, id, { after: 0 })
    await reader.ready
    await post(id, 4, 4)
    await expect.poll(() => seqs(reader.entries)).toEqual([4])
    reader.close()
  })

  test('is refused without a token, and ended when its key is revoked', async () => {
    const id = task('revoked')
    await expect(connect(server.url, id, { token: 'kerutakey_wrong' }).ready).rejects.toThrow()
    const { id: keyId, key } = await server.post<{ id: string; key: string }>('/api-keys', {
      name: 'viewer',
      role: 'viewer',
    })
    const reader = connect(server.url, id, { token: key })
    await reader.ready
    await server.api(`/api-keys/${keyId}`, { method: 'DELETE' })
    await reader.closed
  })
})
