import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { frameOf, RECORD_HEADER_BYTES, type SpoolRecord, sealRecord } from './record.ts'
import { Spool } from './spool.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keruta-spool-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function record(firstN: number, bytes = 100, count = 1): SpoolRecord {
  return sealRecord(
    Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), Buffer.alloc(bytes, firstN % 256)]),
    firstN,
    count,
  )
}

function readAll(spool: Spool): number[] {
  const found: number[] = []
  for (let next = spool.read(spool.start); next; next = spool.read(next.next)) found.push(next.record.firstN)
  return found
}

describe('a spool', () => {
  it('gives back what was written, also to another process', () => {
    const spool = Spool.create(dir)
    for (const n of [1, 2, 3]) spool.append(record(n))
    spool.close()
    const again = Spool.open(dir)
    expect(readAll(again)).toEqual([1, 2, 3])
    expect(frameOf(again.read(again.start)!.record)).toEqual(Buffer.alloc(100, 1))
  })

  it('drops a last record that was not written to its end', () => {
    const spool = Spool.create(dir)
    for (const n of [1, 2, 3]) spool.append(record(n))
    spool.close()
    truncateSync(join(dir, '00000001.seg'), 3 * 120 - 7)
    expect(readAll(Spool.open(dir))).toEqual([1, 2])
  })

  it('drops a record whose checksum does not fit', () => {
    const spool = Spool.create(dir)
    spool.append(record(1))
    spool.close()
    const torn = Buffer.from(record(2).bytes)
    torn[60]! ^= 1
    appendFileSync(join(dir, '00000001.seg'), torn)
    expect(readAll(Spool.open(dir))).toEqual([1])
  })

  it('removes files whose lines are stored, and counts what is left', async () => {
    const spool = Spool.create(dir)
    const size = 3 * 1024 * 1024
    for (let n = 1; n <= 7; n++) spool.append(record(n, size))
    expect(readdirSync(dir)).toHaveLength(3)
    spool.release(3)
    await vi.waitFor(() => expect(readdirSync(dir)).toEqual(['00000002.seg', '00000003.seg']), 10_000)
    expect(spool.bytes).toBe(4 * (size + RECORD_HEADER_BYTES))
    spool.release(7)
    expect(spool.bytes).toBe(0)
    await vi.waitFor(() => expect(readdirSync(dir)).toEqual([]), 10_000)
    spool.append(record(8))
    expect(readAll(spool)).toEqual([8])
  })

  it('keeps what it has when something is added after it was closed', () => {
    const spool = Spool.create(dir)
    spool.append(record(1))
    spool.close()
    spool.append(record(2))
    expect(readAll(Spool.open(dir))).toEqual([1, 2])
  })
})
