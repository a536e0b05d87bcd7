import { isUtf8 } from 'node:buffer'
import { MongoClient } from 'mongodb'
import { checkSegment } from '#protocol/segment-check.ts'
import { segmentFields, segmentId } from '#server/store/mongo/documents.ts'
import { figure, type Row } from '../rows.ts'
import { corpusSegment } from '../support/corpus.ts'
import { segmentFrames } from '../support/frames.ts'
import { median } from '../support/samples.ts'
import { sendFrames } from '../support/sender.ts'
import { openPlace, tasksUrl } from './place.ts'

const LINES_PER_SEGMENT = 200
const SEGMENTS_AT_ONCE = 64
/** While half of them are on their way to the store, the other half comes in: as many as the loop inserts at once. */
const IN_FLIGHT = 2 * SEGMENTS_AT_ONCE
const DISTINCT = 256

/**
 * Segments that are acknowledged, from a real WebSocket by a real server; and the same documents by the driver alone, in turn: into a
 * collection without indexes, as fast as it gets.
 */
export async function mongoIngest(lines = 200_000, runs = 9): Promise<Row[]> {
  const place = await openPlace(1)
  const client = await MongoClient.connect(place.mongo.url('bare'), {
    writeConcern: { w: 'majority', journal: true },
  })
  try {
    const bare = client.db().collection<{ _id: string }>('segments')
    const keruta: number[] = []
    const driver: number[] = []
    const halves: number[] = []
    const segments = lines / LINES_PER_SEGMENT
    let commits = 0
    for (let run = 0; run <= runs; run++) {
      const frames = segmentFrames(`s${run}`, lines, LINES_PER_SEGMENT, DISTINCT)
      // One acknowledgement a commit.
      const onAck = () => void (run > 0 && commits++)
      const seconds = await sendFrames(`${tasksUrl(place.servers[0]!)}bench-${run}`, frames, IN_FLIGHT, onAck)
      const bareSeconds = await insertAll(bare, `bench-${run}`, segments, SEGMENTS_AT_ONCE)
      const halfSeconds = await insertAll(bare, `half-${run}`, segments, SEGMENTS_AT_ONCE / 2)
      // The first is the warm-up.
      if (run === 0) continue
      keruta.push(lines / seconds)
      driver.push(lines / bareSeconds)
      halves.push(lines / halfSeconds)
    }
    const measured = median(keruta)
    const loop = median(driver)
    const half = median(halves)
    return [
      {
        what: 'MongoDB: segments of 200 lines acknowledged',
        measured,
        unit: 'lines/s',
        bare: loop,
        bareWhat: `driver, insertMany of ${SEGMENTS_AT_ONCE} of the same documents`,
        goal: '≥ 0.6 ×',
        ok: measured >= 0.6 * loop,
        note: `${Math.round((runs * segments) / commits)} segments a commit, with ${IN_FLIGHT} in flight; the driver by ${SEGMENTS_AT_ONCE / 2} at a time ${figure(half)} lines/s`,
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
  atOnce: number,
): Promise<number> {
  const startedAt = performance.now()
  for (let first = 0; first < segments; first += atOnce) {
    const documents = Array.from({ length: Math.min(atOnce, segments - first) }, (_, at) => {
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
