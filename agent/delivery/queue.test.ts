import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Segment } from '#protocol/segment.ts'
import { decodeSegmentFrame } from '#protocol/segment-frame.ts'
import { BufferPool } from './buffer-pool.ts'
import { Outbox } from './outbox.ts'
import { SendQueue } from './queue.ts'
import { Spool } from './spool.ts'

const DAY = 24 * 3600 * 1000
const NOW = Date.UTC(2026, 0, 1)

let dir: string
let spool: Spool
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keruta-queue-'))
  spool = Spool.create(dir)
})
afterEach(() => {
  spool.close()
  rmSync(dir, { recursive: true, force: true })
})

/** What a stream's lines become: each list of lines is gathered in a turn of its own. */
function sent(turns: { at: number; lines: { message: string; lineNumber: number }[] }[]) {
  let now = 0
  const pool = new BufferPool()
  const queue = new SendQueue(spool, pool, 10)
  const outbox = new Outbox(
    's',
    pool,
    record => queue.add(record, spool.append(record)),
    () => now,
  )
  for (const { at, lines } of turns) {
    now = at
    for (const { message, lineNumber } of lines) outbox.line(Buffer.from(message), 1, lineNumber)
    outbox.cut()
  }
  const messages: string[] = []
  for (let batch = queue.take(0); batch; batch = queue.take(0)) {
    const { firstN, segment: bytes } = decodeSegmentFrame(batch.frame)
    const segment = new Segment(bytes)
    expect([batch.firstN, batch.lastN]).toEqual([firstN, firstN + segment.count - 1])
    expect(firstN).toBe(messages.length + 1)
    for (let index = 0; index < segment.count; index++) messages.push(segment.message(index))
  }
  return messages
}

test('lines before and after a leap of the clock go in frames of their own, each once', () => {
  const turns = [0, 1, 40 * 365 * DAY, 40 * 365 * DAY + 1, 2].map((after, index) => ({
    at: NOW + after,
    lines: [{ message: `line ${index + 1}`, lineNumber: index + 1 }],
  }))
  expect(sent(turns)).toEqual(turns.map(({ lines }) => lines[0]!.message))
})

test('lines whose numbers leap, because those between were left out, all go', () => {
  const lines = Array.from({ length: 8000 }, (_, index) => ({ message: '', lineNumber: 3 * index + 1 }))
  const turns = Array.from({ length: 80 }, (_, turn) => ({
    at: NOW,
    lines: lines.slice(turn * 100, turn * 100 + 100),
  }))
  expect(sent(turns)).toHaveLength(8000)
})
