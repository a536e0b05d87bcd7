import { isUtf8 } from 'node:buffer'
import { expect, it, vi } from 'vitest'
import { checkSegment } from '#protocol/segment-check.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'
import { openStore } from '#server/store/open.ts'
import type { NewSegment } from '#server/store/store.ts'
import { mongoKinds } from '#server/testing/mongo-server.ts'
import { startCompactor } from './compact.ts'

const { kinds, missing } = await mongoKinds()
const title = 'A log is merged on MongoDB too, also where that was away when it was asked for first'
if (missing !== undefined) it(title, ({ skip }) => skip(missing))

function segment(from: number): NewSegment {
  const writer = new SegmentWriter()
  for (let line = 0; line < 10; line++) writer.addString(`line ${from + line}`, from + line, 1, from + line)
  const body = writer.finish()
  return { body, summary: checkSegment(body, isUtf8).summary }
}

it.each(kinds)(
  `${title}, $name`,
  async kind => {
    const server = await kind.start()
    const url = server.url('keruta', '?serverSelectionTimeoutMS=3000')
    const location = { kind: 'mongodb' as const, url }
    const store = await openStore(location)
    const parts = Array.from({ length: 20 }, (_, at) => segment(at * 10 + 1))
    await store.segments.append('t', 1, parts)
    const totals = (await store.segments.totals(['t'])).get('t')!
    await server.kill()

    const warn = vi.fn()
    const compactor = startCompactor({ store: store.segments, location, logger: { warn }, intervalMs: 20 })
    compactor.taskEnded('t')
    const told = { err: expect.objectContaining({ code: 'STORE_UNAVAILABLE' }), taskId: 't' }
    await vi.waitFor(() => expect(warn).toHaveBeenCalledWith(told, expect.any(String)), 10_000)
    await server.start()
    const headers = () => store.segments.headers('t', { order: 'asc', limit: 100 })
    await vi.waitFor(async () => expect(await headers()).toHaveLength(1), 20_000)

    expect((await headers())[0]).toMatchObject({ firstSeq: 1, count: 200, codec: 'zstd' })
    const { storedBytes } = (await headers())[0]!
    expect((await store.segments.totals(['t'])).get('t')).toEqual({ ...totals, storedBytes })
    await compactor.close()
    await store.close()
    await server.dispose()
  },
  60_000,
)
