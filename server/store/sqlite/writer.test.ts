import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from './store.ts'
import { Writer } from './writer.ts'

test('a writer thread that dies is followed by another: what was under way is told, and later writes are kept', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'keruta-writer-'))
  await (await openSqliteStore(dataDir)).close()
  const threads: Worker[] = []
  const writer = await Writer.open(dataDir, () => {
    const thread = new Worker(new URL('./writer-worker.ts', import.meta.url), { workerData: { dataDir } })
    threads.push(thread)
    return thread
  })
  onTestFinished(async () => {
    await writer.close()
    await rm(dataDir, { recursive: true })
  })
  const end = (endN: number) => writer.submit({ kind: 'endStream', taskId: 't', streamId: 's', endN })
  await end(1)
  const lost = end(2)
  await Promise.all([
    threads[0]!.terminate(),
    expect(lost).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' }),
  ])
  await expect
    .poll(
      () =>
        end(3).then(
          () => 'kept',
          () => 'refused',
        ),
      { timeout: 10_000 },
    )
    .toBe('kept')
  expect(threads).toHaveLength(2)
})
