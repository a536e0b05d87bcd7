import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FakeServer, type Fault } from '../test/fake-server.ts'
import { LogStream } from './log-stream.ts'
import { Spool } from './spool.ts'

const nothing = () => {}

/** What happens to a stream. */
type Action =
  | { does: 'write'; lines: number; bytes: number }
  /** The writer does something else for so many turns of the event loop. */
  | { does: 'wait'; turns: number }
  /** The next segments meet this. */
  | { does: 'fault'; fault: Fault; times: number }
  /** The connection breaks now. */
  | { does: 'cut' }

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant<Fault>({ kind: 'cut' }),
  fc
    .constantFrom('STORE_UNAVAILABLE', 'RATE_LIMITED', 'DISK_FULL')
    .map((code): Fault => ({ kind: 'error', code, retryAfterMs: 1 })),
  fc.nat(5).map((lines): Fault => ({ kind: 'part', lines })),
)
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('write' as const),
      lines: fc.integer({ min: 1, max: 50 }),
      bytes: fc.constantFrom(1, 10, 1000),
    }),
  },
  // More than what is kept in memory: it is read back from the spool.
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('write' as const),
      lines: fc.integer({ min: 20, max: 60 }),
      bytes: fc.constant(60_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('fault' as const),
      fault,
      times: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('cut' as const) }) },
)

function openStream(spoolDir: string, url: string): LogStream {
  const settings = {
    spoolDir,
    spoolTrouble: undefined,
    spoolMaxBytes: 1e9,
    apiUrl: url,
    websocketUrl: `${url.replace('http', 'ws')}/ws/tasks`,
    bufferLines: 5,
    batchLines: 10,
    flushIntervalMs: 5,
    reconnectMs: 2,
    retryMs: 2,
    maxReconnectAttempts: 1000,
  }
  const events = {
    cancel: nothing,
    input: nothing,
    lost: nothing,
    pressure: nothing,
    warn: nothing,
    say: nothing,
    explain: nothing,
  }
  return new LogStream(settings, { taskId: 't', agentId: 'a', token: () => undefined }, events)
}

async function deliver(actions: Action[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'keruta-stream-'))
  const server = await FakeServer.start()
  const faults: Fault[] = []
  server.fault = () => faults.shift()
  const stream = openStream(dir, server.url)
  try {
    stream.sender.start()
    const written: string[] = []
    for (const each of actions) {
      if (each.does === 'write')
        for (let line = 0; line < each.lines; line++) {
          const text = `${written.length + 1} `.padEnd(each.bytes, 'x')
          written.push(text)
          stream.outbox.line(Buffer.from(text), 0, written.length)
        }
      else if (each.does === 'wait') for (let turns = each.turns; turns > 0; turns--) await turn()
      else if (each.does === 'cut') server.cut()
      else faults.push(...Array<Fault>(each.times).fill(each.fault))
    }
    expect(await stream.end(10_000)).toBe(true)
    const got = server.messages('t')
    expect(got.length).toBe(written.length)
    expect(got.findIndex((line, index) => line !== written[index])).toBe(-1)
    expect(server.entries.get('t')?.at(-1)?.lineNumber ?? 0).toBe(written.length)
    stream.close(true)
    expect(readdirSync(dir)).toEqual([])
  } finally {
    stream.close(false)
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

it('every line arrives once and in order, however connection and server fail', async () => {
  await fc.assert(fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), deliver), {
    numRuns: 60,
  })
}, 60_000)

it('whoever reads in a spool that the script has ended finds its lines', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keruta-stream-'))
  const stream = openStream(dir, 'http://127.0.0.1:9')
  try {
    stream.outbox.line(Buffer.from('last'), 0, 1)
    stream.note({ finish: { success: {} } })
    const left = Spool.open(stream.dir)
    expect(left.read(left.start)?.record.count).toBe(1)
    left.close()
  } finally {
    stream.close(false)
    rmSync(dir, { recursive: true, force: true })
  }
})
