import { strict as assert } from 'node:assert'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TaskRow, type TaskView, TERMINAL_STATUSES } from '#protocol/task.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { Agent } from './agent.ts'
import { Random } from './random.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, storedLog } from './verify.ts'

const SESSION = 'queue'
const LINES = 20
/** A daemon that died with its task not even begun is found lost by the server alone. */
const LOST_WITHIN_MS = 75_000

/**
 * Two daemons, each on a machine of its own, serve a queue while they and the server are killed with −9 at random moments. No task may
 * run twice without the server having said so, none may hang, and each must say truly how it ended.
 */
export async function killWhoServesAQueue({
  seed,
  tasks,
  kills,
}: {
  seed: number
  tasks: number
  kills: number
}): Promise<void> {
  const random = new Random(seed)
  const server = await TestServer.start()
  const journal = join(server.home, 'journal')
  writeFileSync(journal, '')
  const daemons = ['a', 'b'].map(name => new Daemon(server, name))
  try {
    await server.post('/sessions', { id: SESSION, name: SESSION })
    for (let index = 0; index < tasks; index++)
      await server.post(`/sessions/${SESSION}/tasks`, {
        id: `task-${index}`,
        script: scriptOf(journal),
        maxAttempts: index % 3 === 0 ? 2 : 1,
      })
    for (const daemon of daemons) daemon.start()
    const moments = random.moments(kills, 1, Math.floor((tasks * LINES) / 2))
    for (const moment of moments) {
      await until(`${moment} lines were printed`, () => entriesOf(journal).length >= moment, LOST_WITHIN_MS)
      const victim = random.int(0, 2)
      if (victim === 2) {
        await server.stop('SIGKILL')
        await server.start()
      } else {
        await daemons[victim]!.kill()
        daemons[victim]!.start()
      }
    }
    await until('every task has ended', async () => (await unfinished(server)) === 0, LOST_WITHIN_MS + 30_000)
    await demandTrueEnds(server, journal, tasks)
  } finally {
    for (const daemon of daemons) await daemon.kill()
    await server.dispose()
  }
}

/** Writes each line into the journal as well, which no network and no agent touches. */
function scriptOf(journal: string): string {
  return `run=$$
line=0
while [ $line -lt ${LINES} ]; do
  line=$((line + 1))
  echo "$KERUTA_TASK_ID $run $line" >> ${journal}
  echo "line $line"
  sleep 0.02
done`
}

class Daemon {
  readonly #server: TestServer
  readonly #home: string
  #agent: Agent | undefined

  constructor(server: TestServer, name: string) {
    this.#server = server
    this.#home = join(server.home, name)
    mkdirSync(this.#home)
  }

  start(): void {
    const words = ['daemon', '--session-id', SESSION, '--port', '0', '--poll-interval', '1']
    this.#agent = new Agent({ server: this.#server, home: this.#home }, ...words)
  }

  async kill(): Promise<void> {
    await this.#agent?.kill()
  }
}

function entriesOf(journal: string): { taskId: string; run: string; line: number }[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(text => {
      const [taskId = '', run = '', line] = text.split(' ')
      return { taskId, run, line: Number(line) }
    })
}

async function tasksOf(server: TestServer): Promise<TaskRow[]> {
  const answer = await server.api(`/sessions/${SESSION}/tasks?size=1000`)
  return ((await answer.json()) as { content: TaskRow[] }).content
}

async function unfinished(server: TestServer): Promise<number> {
  const tasks = await tasksOf(server)
  return tasks.filter(({ status }) => !TERMINAL_STATUSES.includes(status)).length
}

async function demandTrueEnds(server: TestServer, journal: string, count: number): Promise<void> {
  const tasks = await tasksOf(server)
  assert.equal(tasks.length, count, 'no task is missing')
  const entries = entriesOf(journal)
  for (const { id } of tasks) {
    const task = (await (await server.api(`/tasks/${id}`)).json()) as TaskView
    const own = entries.filter(({ taskId }) => taskId === task.id)
    const runs = [...new Set(own.map(({ run }) => run))]
    const history = task.statusHistory.map(({ status, message }) => `${status} ${message ?? ''}`).join(', ')
    const begun = task.statusHistory.filter(({ status }) => status === 'PROCESSING').length
    assert(runs.length <= begun, `${task.id} ran ${runs.length} times: ${history}`)
    const order = own.map(({ run }) => runs.indexOf(run))
    assert.deepEqual(order, order.toSorted(), `two runs of ${task.id} printed at the same time: ${history}`)
    const whole = runs.some(run => own.filter(entry => entry.run === run).length === LINES)
    if (task.status === 'FAILED') assert.equal(task.errorCode, 'AGENT_LOST', `${task.id}: ${history}`)
    else assert(whole, `${task.id} is ${task.status}, and never ran to its end: ${history}`)
    if (runs.length !== 1 || task.status !== 'COMPLETED') continue
    demandEveryLineOnce(await storedLog(server, task.id), LINES, entry => entry.source === 'stdout')
    assert.equal(task.logState.state, 'complete', `the log of ${task.id}: ${task.logState.detail}`)
  }
}
