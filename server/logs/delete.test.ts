import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LogEntry } from '#protocol/log.ts'
import { BASE, openTestStore, type TestStore } from '#server/test/log-store.ts'
import { mergeSegments } from './compact-merge.ts'
import { deleteLogs } from './delete.ts'
import type { LogQueries } from './queries.ts'
import { openLogQueries } from './query-pool.ts'

let testStore: TestStore
let queries: LogQueries
beforeAll(async () => {
  testStore = await openTestStore()
  queries = openLogQueries(testStore.location)
})
afterAll(async () => {
  await queries.close()
  await testStore.close()
})

/** Times that rise, but jump back in some lines and some whole segments. */
async function fill(taskId: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for (let segment = 0; segment < 40; segment++) {
    const start = segment % 9 === 8 ? 0 : segment * 100
    const lines = Array.from({ length: 10 }, (_, line) => ({
      message: `${segment}.${line}`,
      at: line % 4 === 3 ? 50 : start + line * 10,
    }))
    entries.push(...(await testStore.append(taskId, lines, segment % 2 ? 'zstd' : 'raw')))
  }
  return entries
}

const all = async (taskId: string) => (await queries.page(taskId, {}, 0, 1000, 'asc')).entries

test('deleting before a time deletes just the entries before it, also where times do not rise', async () => {
  const entries = await fill('some')
  for (const cutoff of [1, 45, 1015, 2000]) {
    const before = await all('some')
    const kept = entries.filter(entry => Date.parse(entry.timestamp) >= BASE + cutoff)
    expect(await deleteLogs(testStore.store.segments, 'some', new Date(BASE + cutoff))).toBe(
      before.length - kept.length,
    )
    expect(await all('some')).toEqual(kept)
    expect((await queries.stats('some', {})).totalLogs).toBe(kept.length)
    expect(await queries.page('some', {}, 1, 20, 'desc')).toEqual({
      entries: kept.toReversed().slice(20, 40),
      total: kept.length,
    })
  }
})

test('deleting everything leaves nothing, and seq goes on', async () => {
  await fill('whole')
  expect(await deleteLogs(testStore.store.segments, 'whole')).toBe(400)
  expect(await all('whole')).toEqual([])
  expect(await queries.read('whole', {}, 7)).toMatchObject({ segments: [], cursor: 400, lastSeq: 400 })
  const [entry] = await testStore.append('whole', [{ message: 'later' }])
  expect(entry?.seq).toBe(401)
  expect(await all('whole')).toEqual([entry])
})

test('deleting before a time that no entry reaches, or that all are before, is all or nothing', async () => {
  await fill('edges')
  expect(await deleteLogs(testStore.store.segments, 'edges', BASE)).toBe(0)
  expect(await deleteLogs(testStore.store.segments, 'edges', BASE + 1_000_000)).toBe(400)
  expect(await deleteLogs(testStore.store.segments, 'none', BASE)).toBe(0)
})

test('deleting everything deletes lines that are merged with later ones meanwhile, and keeps the later ones', async () => {
  const { segments } = testStore.store
  const old = await testStore.append('joined', [{ message: 'old 1' }, { message: 'old 2' }])
  let later: LogEntry[] = []
  const merging: typeof segments = {
    ...segments,
    async remove(taskId, beforeSeq) {
      if (later.length === 0) {
        later = await testStore.append(taskId, [{ message: 'new' }])
        const headers = await segments.headers(taskId, { order: 'asc', limit: 10 })
        const bodies = await segments.bodies(taskId, [1, 3])
        const stored = headers.map((header, index) => ({ ...header, ...bodies[index]! }))
        expect(await segments.replace(taskId, headers, mergeSegments(stored))).toBe(true)
      }
      return segments.remove(taskId, beforeSeq)
    },
  }
  expect(await deleteLogs(merging, 'joined')).toBe(old.length)
  expect(await all('joined')).toEqual(later)
})
