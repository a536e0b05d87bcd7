import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KerutaError } from '#protocol/errors.ts'
import { readMessages, sampleSegment, sampleTask } from '../contract/samples.ts'
import { openSqliteStore } from './store.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'keruta-faults-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

const appender = fileURLToPath(new URL('./test/append-forever.ts', import.meta.url))

/** Runs the appender until it has told of some acknowledgements, then kills it in the middle of the next. */
async function appendAndKill(acknowledgements: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [appender, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const acknowledged = new Map<string, number>()
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [taskId = '', seq] = line.split(' ')
    acknowledged.set(taskId, Number(seq))
    if (++seen === acknowledgements) child.kill('SIGKILL')
  }
  await exited
  return acknowledged
}

describe('a data folder', () => {
  it('holds all that was acknowledged, and nothing in halves, after kill -9 in the middle of appending', async () => {
    for (const acknowledgements of [50, 171]) {
      const acknowledged = await appendAndKill(acknowledgements)
      const store = await openSqliteStore(dataDir)
      for (const [taskId, seq] of acknowledged) {
        const head = await store.segments.head(taskId)
        expect(head.lastSeq).toBeGreaterThanOrEqual(seq)
        expect(head.lastSeq % 100).toBe(0)
        expect(head.streams.get('s')).toEqual({ n: head.lastSeq })
        const { seqs, messages } = await readMessages(store.segments, taskId)
        expect(seqs).toEqual(Array.from({ length: head.lastSeq }, (_, at) => at + 1))
        expect(messages).toEqual(seqs.map(at => `${taskId} ${((at - 1) % 100) + 1}`))
        expect((await store.segments.totals([taskId])).get(taskId)).toMatchObject({ lines: head.lastSeq })
      }
      await store.close()
    }
  })

  it('refuses a second server, and is free again after the first', async () => {
    const store = await openSqliteStore(dataDir)
    const refused = openSqliteStore(dataDir)
    await expect(refused).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(dataDir),
    })
    await expect(refused).rejects.toThrow(/another keruta server uses .*: stop it/)
    await store.segments.append('t', 1, [sampleSegment(1)])
    await store.close()
    await (await openSqliteStore(dataDir)).close()
  })

  it.each(['keruta.db', 'segments.db'])(
    'of a newer version is refused by its %s, and stays as it is',
    async file => {
      await (await openSqliteStore(dataDir)).close()
      const db = new DatabaseSync(join(dataDir, file))
      db.exec("INSERT INTO migration VALUES (99, '0099_future.sql', '2099-01-01T00:00:00.000Z')")
      db.close()
      const before = await readFile(join(dataDir, file))
      await expect(openSqliteStore(dataDir)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(
          new RegExp(`${file} has version 99.*up to version \\d+.*Start the newer keruta`),
        ),
      })
      expect(await readFile(join(dataDir, file))).toEqual(before)
    },
  )

  it('that is a file, or holds something else than databases, is refused with its name', async () => {
    const path = join(dataDir, 'file')
    await writeFile(path, 'x')
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(path),
    })
    await writeFile(join(dataDir, 'segments.db'), 'no database at all '.repeat(1000))
    await expect(openSqliteStore(dataDir)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `${join(dataDir, 'segments.db')} is no database: choose another folder`,
    })
    await rm(join(dataDir, 'segments.db'))
    await (await openSqliteStore(dataDir)).close()
  })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0
// Without root there is no small disk to fill.
describe.runIf(canMount)('a full disk', () => {
  beforeEach(() => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', dataDir]))
  afterEach(() => execFileSync('umount', ['--lazy', dataDir]))

  it('refuses lines and entities with DISK_FULL, loses nothing, and takes them again once there is room', async () => {
    const store = await openSqliteStore(dataDir)
    const ballast = join(dataDir, 'ballast')
    await writeFile(ballast, Buffer.alloc(3 * 1024 * 1024))
    let next = 1
    const full = async () => {
      for (;;) {
        const result = await store.segments.append('t', next, [sampleSegment(1000)])
        if (result.ok) next += 1000
      }
    }
    const error = await full().catch((reason: KerutaError) => reason)
    expect(error).toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining('free some space') })
    expect((await store.segments.head('t')).lastSeq).toBe(next - 1)
    await expect(store.ready()).rejects.toMatchObject({ code: 'DISK_FULL' })

    const script = 'x'.repeat(1024 * 1024)
    await expect(store.tasks.insert(sampleTask('t', { script }))).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(await store.tasks.get('t')).toBeUndefined()

    await rm(ballast)
    await store.ready()
    expect(await store.segments.append('t', next, [sampleSegment(1)])).toEqual({ ok: true, firstSeq: next })
    expect(await store.tasks.insert(sampleTask('t'))).toBe(true)
    expect((await readMessages(store.segments, 't')).seqs).toHaveLength(next)
    await store.close()
  })
})
