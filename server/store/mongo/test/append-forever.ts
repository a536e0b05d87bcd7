import { writeSync } from 'node:fs'
import { sampleSegment } from '../../contract/samples.ts'
import { openMongoStore } from '../store.ts'

/** Appends to a task, two segments at a time, until it is killed; tells each acknowledged seq on stdout. */
const [url = '', taskId = ''] = process.argv.slice(2)
const store = await openMongoStore(url)
for (let next = (await store.segments.head(taskId)).lastSeq + 1; ; ) {
  const part = (firstN: number) => ({
    ...sampleSegment(100, taskId),
    stream: { streamId: 's', firstN, lastN: firstN + 99 },
  })
  const result = await store.segments.append(taskId, next, [part(next), part(next + 100)])
  if (!result.ok) throw new Error(`${taskId} is at ${result.head.lastSeq}`)
  next += 200
  writeSync(1, `${next - 1}\n`)
}
