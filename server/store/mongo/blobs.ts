import { Readable } from 'node:stream'
import { Binary, type Db, ObjectId } from 'mongodb'
import { KerutaError } from '#protocol/errors.ts'
import type { BlobStore } from '#server/store/store.ts'
import { guarded, isDuplicate } from './errors.ts'

/** GridFS's own layout: a chunk is one block of a file, the last may be shorter; a file's document comes when all its chunks are there. */
interface Chunk {
  _id: ObjectId
  files_id: string
  n: number
  data: Binary
}
interface File {
  _id: string
  length: number
  chunkSize: number
  uploadDate: Date
  filename: string
}

const BUCKET = 'artifacts'
const BLOCK_BYTES = 1024 * 1024
/** The driver's own reader takes 16 MB at once. */
const READ_BLOCKS = 2

export function createBlobs(db: Db): BlobStore {
  const files = db.collection<File>(`${BUCKET}.files`)
  const chunks = db.collection<Chunk>(`${BUCKET}.chunks`)

  /** Blocks from the first on without a hole, all but the last of them full. */
  async function kept(id: string): Promise<{ size: number; last: Buffer }> {
    const index = { projection: { _id: 0, n: 1 }, sort: { n: 1 } } as const
    const found = await chunks.find({ files_id: id }, index).toArray()
    const holeAt = found.findIndex(({ n }, place) => n !== place)
    const count = holeAt === -1 ? found.length : holeAt
    const block = count === 0 ? null : await chunks.findOne({ files_id: id, n: count - 1 })
    const last = block ? bytesOf(block) : Buffer.alloc(0)
    return { size: Math.max(0, count - 1) * BLOCK_BYTES + last.length, last }
  }

  /** A block that is there already may only grow: whoever brings other bytes is refused. */
  async function put(id: string, n: number, data: Buffer): Promise<void> {
    try {
      await chunks.insertOne({ _id: new ObjectId(), files_id: id, n, data: new Binary(data) })
      return
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    for (;;) {
      const there = await chunks.findOne({ files_id: id, n })
      const stored = there ? bytesOf(there) : Buffer.alloc(0)
      const common = Math.min(stored.length, data.length)
      if (!there || !stored.subarray(0, common).equals(data.subarray(0, common)))
        throw conflict(id, 'is being written by another server, with other bytes')
      if (common === data.length) return
      const same = { files_id: id, n, data: there.data }
      const { matchedCount } = await chunks.updateOne(same, { $set: { data: new Binary(data) } })
      if (matchedCount === 1) return
    }
  }

  async function* bytesFrom({ _id, chunkSize }: File, start: number, end: number): AsyncGenerator<Buffer> {
    let at = start
    const n = { $gte: Math.floor(start / chunkSize), $lt: Math.ceil(end / chunkSize) }
    const cursor = chunks.find({ files_id: _id, n }, { sort: { n: 1 }, batchSize: READ_BLOCKS })
    try {
      for (;;) {
        const chunk = at < end ? await guarded(() => cursor.next()) : null
        if (!chunk) break
        if (chunk.n !== Math.floor(at / chunkSize)) break
        const part = bytesOf(chunk).subarray(at % chunkSize, end - chunk.n * chunkSize)
        at += part.length
        yield part
      }
    } finally {
      await cursor.close()
    }
    if (at < end) throw new Error(`the blob ${_id} ends at ${at} of ${end} bytes`)
  }

  return {
    size: id =>
      guarded(async () => {
        const file = await files.findOne({ _id: id }, { projection: { length: 1 } })
        return file ? file.length : (await kept(id)).size
      }),
    async write(id, offset, source) {
      const from = await guarded(async () => {
        if (await files.findOne({ _id: id }, { projection: { _id: 1 } }))
          throw conflict(id, 'is whole already')
        if (offset === 0) {
          await chunks.deleteMany({ files_id: id })
          return { size: 0, last: Buffer.alloc(0) }
        }
        const there = await kept(id)
        if (there.size !== offset) throw conflict(id, `goes on at ${there.size}, not at ${offset}`)
        return there
      })
      const begun = from.size % BLOCK_BYTES
      const start = from.size - begun
      let size = from.size
      for await (const { at, block } of blocks(from.last.subarray(0, begun), source)) {
        await guarded(() => put(id, (start + at) / BLOCK_BYTES, block))
        size = start + at + block.length
      }
      return size
    },
    seal: (id, size, name) =>
      guarded(async () => {
        const file = await files.findOne({ _id: id })
        const length = file?.length ?? (await kept(id)).size
        if (length !== size) throw conflict(id, `has ${length} bytes, not ${size}`)
        if (file) return
        const uploadDate = new Date()
        try {
          await files.insertOne({ _id: id, length, chunkSize: BLOCK_BYTES, uploadDate, filename: name })
        } catch (error) {
          if (!isDuplicate(error)) throw error
        }
      }),
    read: (id, start, end) =>
      guarded(async () => {
        const file = await files.findOne({ _id: id })
        if (!file) throw new KerutaError('NOT_FOUND', 'its bytes are gone from the database')
        return Readable.from(bytesFrom(file, start, end), { objectMode: false })
      }),
    remove: id =>
      guarded(async () => {
        await files.deleteOne({ _id: id })
        await chunks.deleteMany({ files_id: id })
      }),
  }
}

/**
 * What `source` brings as blocks behind the bytes that the first of them has already. Where it breaks off, what came is a block too.
 * A block is overwritten once the next is asked for.
 */
async function* blocks(head: Buffer, source: AsyncIterable<Uint8Array>) {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let filled = head.copy(block)
  let untold = false
  let at = 0
  let failure: { error: unknown } | undefined
  try {
    for await (const chunk of source) {
      for (let from = 0; from < chunk.length; ) {
        const taken = Math.min(chunk.length - from, BLOCK_BYTES - filled)
        block.set(chunk.subarray(from, from + taken), filled)
        from += taken
        filled += taken
        untold = true
        if (filled < BLOCK_BYTES) continue
        yield { at, block }
        at += BLOCK_BYTES
        filled = 0
        untold = false
      }
    }
  } catch (error) {
    failure = { error }
  }
  if (untold) yield { at, block: block.subarray(0, filled) }
  if (failure) throw failure.error
}

function bytesOf({ data }: Chunk): Buffer {
  return Buffer.from(data.buffer.buffer, data.buffer.byteOffset, data.length())
}

function conflict(id: string, message: string): KerutaError {
  return new KerutaError('CONFLICT', `the blob ${id} ${message}`)
}
