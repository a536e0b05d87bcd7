import { type Document, MongoClient } from 'mongodb'
import { compileFilter, logFilterSchema } from '#protocol/log-filter.ts'
import { readPage } from '#server/logs/query/page.ts'
import { Turns } from '#server/logs/query/turns.ts'
import { logCollections } from '#server/store/mongo/documents.ts'
import { createReader } from '#server/store/mongo/reader.ts'
import { figure, type Row } from '../rows.ts'
import { segmentFrames } from '../support/frames.ts'
import { timedGet } from '../support/http.ts'
import { median, repeat } from '../support/samples.ts'
import { sendFrames } from '../support/sender.ts'
import { openPlace, tasksUrl } from './place.ts'

const PAGE = 100

/** Pages of a long log: how long they take by REST, and what the store is asked for each of them. */
export async function mongoPages(lines = 5_000_000): Promise<Row[]> {
  const place = await openPlace(1)
  const client = await MongoClient.connect(place.mongo.url('bench'), { monitorCommands: true })
  try {
    const [server] = place.servers
    await sendFrames(`${tasksUrl(server!)}big`, segmentFrames('s', lines, 1000))
    const pages = lines / PAGE
    const depths = [0, 1, Math.floor(pages / 3), Math.floor(pages / 2) + 7, pages - 2, pages - 1]
    const { most, scanning, explained } = await statementsOf(client, depths)
    const anywhere = async () => {
      const page = Math.floor(Math.random() * pages)
      return (await timedGet(`${server!.url}/api/v1/tasks/big/logs?page=${page}&size=${PAGE}`)).ms
    }
    const ms = median(await repeat(5, 60, anywhere))
    return [
      {
        what: `MongoDB: statements for a page anywhere in ${figure(lines)} lines, most`,
        measured: most,
        unit: '',
        goal: '≤ 3',
        ok: most <= 3,
        note: `as the driver tells them, of ${2 * depths.length} pages; by REST a page takes ${ms.toFixed(1)} ms`,
      },
      {
        what: 'MongoDB: of those that scan',
        measured: scanning,
        unit: '',
        goal: '0',
        ok: scanning === 0,
        note: explained
          ? 'as the server explains them'
          : 'as they are written: this server explains none; each must name an index or ids',
      },
    ]
  } finally {
    await client.close()
    await place.dispose()
  }
}

async function statementsOf(client: MongoClient, pages: number[]) {
  const reader = { ...createReader(logCollections(client.db())), close: async () => undefined }
  const filter = compileFilter(logFilterSchema.parse({}))
  const statements: Document[] = []
  const listen = ({ command }: { command: Document }) => void statements.push(command)
  let most = 0
  const all: Document[] = []
  client.on('commandStarted', listen)
  for (const order of ['asc', 'desc'] as const) {
    for (const page of pages) {
      statements.length = 0
      const request = { taskId: 'big', filter, page, size: PAGE, order }
      const { entries } = await readPage({ reader, turn: new Turns().begin() }, request)
      if (entries.length !== PAGE) throw new Error(`page ${page} has ${entries.length} lines`)
      most = Math.max(most, statements.length)
      all.push(...statements)
    }
  }
  client.off('commandStarted', listen)
  const plans = await Promise.all(all.map(command => planOf(client, command)))
  const explained = plans.every(plan => plan !== undefined)
  const scans = (command: Document, index: number) =>
    plans[index]?.includes('COLLSCAN') ?? !(command.hint || command.filter?._id)
  return { most, scanning: all.filter(scans).length, explained }
}

/** Nothing where the server does not tell. */
async function planOf(client: MongoClient, command: Document): Promise<string | undefined> {
  const { lsid, $db, $clusterTime, $readPreference, readConcern, ...explain } = command
  try {
    return JSON.stringify(await client.db().command({ explain, verbosity: 'queryPlanner' }))
  } catch {
    return undefined
  }
}
