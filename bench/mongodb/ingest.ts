import { isUtf8 } from 'node:buffer'
import { MongoClient } from 'mongodb'
import { checkSegment } from '#protocol/segment-check.ts'
import { segmentFields, segmentId } from '#server/store/mongo/documents.ts'
import type { Row } from '../rows.ts'
import { corpusSegment } from '../support/corpus.ts'
import { segmentFrames } from '../support/frames.ts'
import { median } from '../support/samples.ts'
import { sendFrames } from '../support/sender.ts'
import { openPlace, tasksUrl } from './place.ts'

const LINES_PER_SEGMENT = 200
/** As many frames as the sender has in flight, and so about what the server has when a commit ends. */
const SEGMENTS_AT_ONCE = 64
const DISTINCT = 256

/** Segments that are acknowledged, from a real WebSocket by a real server; and the same documents by the driver alone, in turn. */
export async function mongoIngest(lines = 200_000, runs = 5): Promise<Row[]> {
  const place = await openPlace(1)
  const client = await MongoClient.connect(place.mongo.url('bare'), {
    writeConcern: { w: 'majority', journal: true },
  })
  try {
    const bare = client.db().collection<{ _id: string }>('segments')
    const keruta: number[] = []
    const driver: number[] = []
    const segments = lines / LINES_PER_SEGMENT
    for (let run = 0; run <= runs; run++) {
      const frames = segmentFrames(`s${run}`, lines, LINES_PER_SEGMENT, DISTINCT)
      const seconds = await sendFrames(`${tasksUrl(place.servers[0]!)}bench-${run}`, frames)
      const bareSeconds = await insertAll(bare, `bench-${run}`, segments)
      // The first is the warm-up.
      if (run === 0) continue
      keruta.push(lines / seconds)
      driver.push(lines / bareSeconds)
    }
    const measured = median(keruta)
    const loop = median(driver)
    return [
      {
        what: 'MongoDB: segments of 200 lines acknowledged',
        measured,
        unit: 'lines/s',
        bare: loop,
        bareWhat: 'driver, insertMany of the same documents',
        goal: '≥ 0.6 ×',
        ok: measured >= 0.6 * loop,
      },
    ]
  } finally {
    await client.close()
    await place.dispose()
  }
}

const bodies = Array.from({ length: DISTINCT }, (_, index) => {
  const body = corpusSegment(index * LINES_PER_SEGMENT, LINES_PER_SEGMENT)
  return { body, summary: checkSegment(body, isUtf8).summary }
})

/** @returns seconds */
async function insertAll(
  collection: { insertMany(documents: { _id: string }[]): Promise<unknown> },
  taskId: string,
  segments: number,
): Promise<number> {
  const startedAt = performance.now()
  for (let first = 0; first < segments; first += SEGMENTS_AT_ONCE) {
    const documents = Array.from({ length: Math.min(SEGMENTS_AT_ONCE, segments - first) }, (_, at) => {
      const { body, summary } = bodies[(first + at) % DISTINCT]!
      const firstSeq = (first + at) * LINES_PER_SEGMENT + 1
      const fields = segmentFields(taskId, firstSeq, summary, 'raw', body)
      const stream = { streamId: 's', lastN: firstSeq + LINES_PER_SEGMENT - 1 }
      return { _id: segmentId(taskId, firstSeq), ...fields, ...stream }
    })
    await collection.insertMany(documents)
  }
  return (performance.now() - startedAt) / 1000
}
