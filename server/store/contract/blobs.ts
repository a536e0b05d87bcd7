import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { BlobStore, Store } from '../store.ts'

const MIB = 1024 * 1024

/** Bytes go in and come out, in parts and after cuts. */
export function blobContract(store: () => Store, reopen: () => Promise<Store>): void {
  describe('a blob', () => {
    const blobs = () => store().blobs
    const put = async (id: string, bytes: Buffer, chunkBytes?: number) => {
      await blobs().write(id, 0, inChunks(bytes, chunkBytes))
      await blobs().seal(id, bytes.length, `${id}.bin`)
    }

    it.each([0, 1, 1000, MIB - 1, MIB, MIB + 1, 5 * MIB + 3])(
      'of %i bytes comes out as it went in',
      async size => {
        const bytes = noise(size)
        await put('a', bytes, 70_001)
        expect(await blobs().size('a')).toBe(size)
        expect(sameBytes(await readAll(blobs(), 'a', size), bytes)).toBe(true)
      },
    )

    it('gives any part of itself', async () => {
      const bytes = noise(3 * MIB + 17)
      await put('a', bytes)
      for (const [start, end] of [
        [0, 1],
        [5, 5],
        [0, MIB],
        [MIB - 1, MIB + 1],
        [2 * MIB, 3 * MIB],
        [3 * MIB + 16, 3 * MIB + 17],
        [3 * MIB + 17, 3 * MIB + 17],
        [100, 3 * MIB + 5],
      ] as const) {
        const part = await buffer(await blobs().read('a', start, end))
        expect(sameBytes(part, bytes.subarray(start, end)), `${start} to ${end}`).toBe(true)
      }
    })

    it('keeps what came before its source broke off, over a restart too, and goes on there', async () => {
      const bytes = noise(3 * MIB + 500_000)
      const broken = async function* () {
        yield* inChunks(bytes.subarray(0, 2 * MIB + 300_000))
        throw new Error('the line broke')
      }
      await expect(blobs().write('a', 0, broken())).rejects.toThrow('the line broke')
      const kept = await blobs().size('a')
      expect(kept).toBe(2 * MIB + 300_000)
      await reopen()
      expect(await blobs().size('a')).toBe(kept)
      expect(await blobs().write('a', kept, inChunks(bytes.subarray(kept)))).toBe(bytes.length)
      await blobs().seal('a', bytes.length, 'a.bin')
      await reopen()
      expect(sameBytes(await readAll(blobs(), 'a', bytes.length), bytes)).toBe(true)
    })

    it('may come in many small parts', async () => {
      const bytes = noise(MIB + 7)
      let at = 0
      for (const size of [1, 10, 500_000, 3, 548_000]) {
        expect(await blobs().write('a', at, inChunks(bytes.subarray(at, at + size)))).toBe(at + size)
        at += size
      }
      await blobs().write('a', at, inChunks(bytes.subarray(at)))
      await blobs().seal('a', bytes.length, 'a.bin')
      expect(sameBytes(await readAll(blobs(), 'a', bytes.length), bytes)).toBe(true)
    })

    it('is refused where it does not go on', async () => {
      await blobs().write('a', 0, inChunks(noise(100)))
      for (const offset of [99, 101])
        await expect(blobs().write('a', offset, inChunks(noise(1)))).rejects.toMatchObject({
          code: 'CONFLICT',
        })
      expect(await blobs().size('a')).toBe(100)
    })

    it('begins anew at 0', async () => {
      await blobs().write('a', 0, inChunks(noise(MIB + 100)))
      await put('a', Buffer.from('other'))
      expect(await readAll(blobs(), 'a', 5)).toEqual(Buffer.from('other'))
    })

    it('is not there before it is sealed, and sealed with its own size only', async () => {
      await blobs().write('a', 0, inChunks(noise(100)))
      await expect(blobs().read('a', 0, 100)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(blobs().seal('a', 101, 'a.bin')).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(blobs().read('a', 0, 100)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('takes no more once it is sealed, and may be sealed again', async () => {
      await put('a', noise(100))
      await expect(blobs().write('a', 100, inChunks(noise(1)))).rejects.toMatchObject({ code: 'CONFLICT' })
      await expect(blobs().write('a', 0, inChunks(noise(1)))).rejects.toMatchObject({ code: 'CONFLICT' })
      await blobs().seal('a', 100, 'a.bin')
      expect(await readAll(blobs(), 'a', 100)).toEqual(noise(100))
    })

    it('is gone once it is removed, whole or not, and its id is free again', async () => {
      await put('a', noise(MIB + 1))
      await blobs().write('b', 0, inChunks(noise(100)))
      for (const id of ['a', 'b', 'never']) await blobs().remove(id)
      for (const id of ['a', 'b', 'never']) {
        expect(await blobs().size(id)).toBe(0)
        await expect(blobs().read(id, 0, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      }
      await put('a', noise(3))
      expect(await readAll(blobs(), 'a', 3)).toEqual(noise(3))
    })

    it('does not ask for more than it can take', async () => {
      let asked = 0
      const endless = async function* () {
        for (; asked < 100; asked++) yield noise(64 * 1024)
        throw new Error('enough')
      }
      const writing = blobs().write('a', 0, endless())
      writing.catch(() => {})
      await new Promise(setImmediate)
      expect(asked).toBeLessThan(50)
      await expect(writing).rejects.toThrow('enough')
    })
  })
}

async function* inChunks(bytes: Buffer, chunkBytes = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

async function readAll(blobs: BlobStore, id: string, size: number): Promise<Buffer> {
  return buffer(await blobs.read(id, 0, size))
}

/** Always the same, and no two places of it alike. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0, state = 1; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 16
  }
  return bytes
}

/** Without vitest's listing of millions of differences. */
function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.equals(b)
}
