import { sampleSegment } from '../../contract/samples.ts'
import { openSqliteStore } from '../store.ts'

/** Appends to several tasks at once until it is killed; tells each acknowledged seq on stdout. */
const [dataDir = ''] = process.argv.slice(2)
const store = await openSqliteStore(dataDir)
const { writeSync } = await import('node:fs')

async function appendForever(taskId: string): Promise<void> {
  for (let next = (await store.segments.head(taskId)).lastSeq + 1; ; ) {
    const segment = sampleSegment(100, taskId)
    const stream = { streamId: 's', firstN: next, lastN: next + 99 }
    const result = await store.segments.append(taskId, next, [{ ...segment, stream }])
    if (!result.ok) throw new Error(`${taskId} is at ${result.head.lastSeq}`)
    next += 100
    writeSync(1, `${taskId} ${next - 1}\n`)
  }
}
await Promise.all(['a', 'b', 'c', 'd'].map(appendForever))
