import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Task } from '#protocol/task.ts'
import { TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { median, repeat } from './support/samples.ts'

const TASKS = 10_000

/** What an agent waits for its next task, in a long queue. */
export async function queue(): Promise<Row[]> {
  const server = await TestServer.start()
  try {
    await server.post('/sessions', { id: 'queue', name: 'queue' })
    await server.post('/sessions/queue/tasks', { id: 'first', script: 'true' })
    await server.stop()
    multiply(join(server.home, 'data/keruta.db'))
    await server.start()
    let run = 0
    const claim = async () => {
      const startedAt = performance.now()
      const { priority } = await server.post<Task>('/sessions/queue/tasks/claim', {
        agentId: `bench/${++run}`,
      })
      if (priority !== 9) throw new Error('another task was first')
      return performance.now() - startedAt
    }
    const ms = median(await repeat(20, 200, claim))
    return [
      { what: `claim in a queue of ${TASKS} tasks`, measured: ms, unit: 'ms', goal: '≤ 5', ok: ms <= 5 },
    ]
  } finally {
    await server.dispose()
  }
}

/** Copies of the one task, with priorities of their own. */
function multiply(file: string): void {
  const db = new DatabaseSync(file)
  const columns = db.prepare('SELECT name FROM pragma_table_info(?)').all('Task')
  const names = columns.map(({ name }) => `"${name}"`)
  const own: Record<string, string> = { '"id"': `'t' || n`, '"priority"': 'n % 10' }
  db.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${TASKS})
    INSERT INTO "Task" (${names}) SELECT ${names.map(name => own[name] ?? name)} FROM "Task", numbers`)
  db.close()
}
