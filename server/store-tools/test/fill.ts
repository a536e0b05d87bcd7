import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { uuidv7 } from '#protocol/ids.ts'
import { sampleSegment, sampleSession, sampleTask, streamSegment } from '#server/store/contract/samples.ts'
import type { Store } from '#server/store/store.ts'

export const BLOB = Buffer.alloc(3_000_001, 'bytes of an artifact. ')

/** Some of all there is: merged and raw segments, holes, streams that go on, a log without a task, bytes. */
export async function fillStore(store: Store, logs = 5, segments = 20): Promise<void> {
  await store.sharedSecret('a secret that is long enough for tokens')
  await store.sessions.insert(sampleSession('s1', { tags: ['a', 'b'], template: { env: { A: '1' } } }))
  await store.apiKeys.insert({
    id: 'k1',
    name: 'key',
    role: 'admin',
    sessionIds: null,
    hash: 'hash',
    createdAt: '2024-01-01T12:00:00.000Z',
    lastUsedAt: null,
    expiresAt: null,
    revokedAt: null,
  })
  await store.inputs.insert({
    id: uuidv7(),
    taskId: 'task-0',
    text: 'yes\n',
    eof: false,
    secret: false,
    by: 'me',
    createdAt: '2024-01-01T12:00:00.000Z',
  })
  for (let at = 0; at < logs; at++) {
    const taskId = `task-${at}`
    await store.tasks.insert(sampleTask(taskId, { sessionId: 's1', name: `NUL \u0000 ü ${at}` }))
    await fillLog(store, taskId, segments)
  }
  await fillLog(store, 'TASK-0', 1)
  await store.segments.append('deleted', 1, [streamSegment('gone', 0, 5)])
  await store.segments.remove('deleted')
  await addArtifact(store, 'whole', BLOB, true)
  await addArtifact(store, 'empty', Buffer.alloc(0), true)
  await addArtifact(store, 'on-its-way', BLOB.subarray(0, 1000), false)
}

async function fillLog({ segments }: Store, taskId: string, parts: number): Promise<void> {
  const stream = (firstN: number) => ({ streamId: `of-${taskId}`, firstN, lastN: firstN + 99 })
  const all = Array.from({ length: parts }, (_, at) => ({
    ...sampleSegment(100, `${taskId} ${at}`, Date.UTC(2024, 0, 1) + at, 1 + 8 * (at % 2), at + 1),
    stream: stream(at * 100 + 1),
  }))
  await segments.append(taskId, 1, all)
  if (parts < 4) return
  // As the compactor does, and a deletion of lines in the middle.
  const compressed = all.slice(0, 2).map(({ summary, body }, at) => ({
    firstSeq: at * 100 + 1,
    summary,
    codec: 'zstd' as const,
    body: zstdCompressSync(body),
  }))
  await segments.replace(
    taskId,
    [1, 101].map(firstSeq => ({ firstSeq, count: 100 })),
    compressed,
  )
  await segments.replace(taskId, [{ firstSeq: 201, count: 100 }], [])
  await segments.endStream(taskId, 'ended', 0)
}

async function addArtifact(store: Store, id: string, bytes: Buffer, complete: boolean): Promise<void> {
  await store.artifacts.insert({
    id,
    taskId: 'task-0',
    path: `${id}.bin`,
    size: complete ? bytes.length : 5000,
    contentType: 'application/octet-stream',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    description: null,
    metadata: { of: id },
    complete,
    preview: null,
    createdAt: '2024-01-01T12:00:00.000Z',
  })
  const chunks = async function* () {
    yield bytes
  }
  await store.blobs.write(id, 0, chunks())
  if (complete) await store.blobs.seal(id, bytes.length, `${id}.bin`)
}
