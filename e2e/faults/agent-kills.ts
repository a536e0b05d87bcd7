import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transports } from '#server/testing/readers.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { Agent, NumberedTask } from './agent.ts'
import { Random } from './random.ts'
import { SteadyReader } from './steady-reader.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, logStateOf, storedLog } from './verify.ts'

/** An agent is killed with −9 in mid-stream; the next agent that starts delivers what it had read. */
export async function killTheAgent({
  seed,
  lines,
  kills,
}: {
  seed: number
  lines: number
  kills: number
}): Promise<void> {
  const random = new Random(seed)
  const server = await TestServer.start()
  try {
    for (let kill = 1; kill <= kills; kill++) {
      const taskId = `agent-kill-${kill}`
      const reader = new SteadyReader(...transports[0]!, server.url, taskId)
      const task = await NumberedTask.start({ server }, taskId)
      task.print(lines)
      const moment = random.int(1, lines)
      await until(`line ${moment} is stored`, () => reader.lastSeq >= moment)
      await task.dispose()
      await startAnotherAgent(server)
      const stored = await storedLog(server, taskId)
      const printed = stored.filter(entry => entry.source === 'stdout').length
      demandEveryLineOnce(stored, printed, entry => entry.source === 'stdout')
      assert(
        printed >= reader.lastSeq && printed >= moment,
        `${printed} lines are stored, ${reader.lastSeq} were read`,
      )
      assert.notEqual(
        await logStateOf(server, taskId),
        'complete',
        'nobody knows how many lines there would have been',
      )
      reader.close()
    }
  } finally {
    await server.dispose()
  }
}

/** The server is away, the agent reads everything into its spool and is killed: nothing of it may be missing later. */
export async function killTheAgentWhileTheServerIsDown({ lines }: { lines: number }): Promise<void> {
  const server = await TestServer.start()
  const task = await NumberedTask.start({ server }, 'spooled')
  try {
    await until('the task has started', async () => (await server.api('/tasks/spooled')).ok)
    await server.stop('SIGKILL')
    task.print(lines)
    await until(`line ${lines} is in the spool`, () => spooled(server).includes(`\n${lines} `))
    await task.dispose()
    await server.start()
    await startAnotherAgent(server)
    demandEveryLineOnce(await storedLog(server, 'spooled'), lines, entry => entry.source === 'stdout')
    assert.notEqual(await logStateOf(server, 'spooled'), 'complete')
  } finally {
    await task.dispose()
    await server.dispose()
  }
}

/** The server is down for the whole run of a script, and up again when another agent starts. */
export async function runWithoutServer({ lines }: { lines: number }): Promise<void> {
  const server = await TestServer.start()
  try {
    await server.stop()
    const task = await NumberedTask.start({ server }, 'offline')
    task.print(lines)
    await task.printed(lines)
    await task.exit(3)
    await server.start()
    await startAnotherAgent(server)
    demandEveryLineOnce(await storedLog(server, 'offline'), lines, entry => entry.source === 'stdout')
    const answer = (await (await server.api('/tasks/offline')).json()) as { status: string; exitCode: number }
    assert.deepEqual([answer.status, answer.exitCode], ['FAILED', 3])
    assert.equal(await logStateOf(server, 'offline'), 'complete')
  } finally {
    await server.dispose()
  }
}

/** Any agent's start delivers what others left, and leaves no spool behind. */
async function startAnotherAgent(server: TestServer): Promise<void> {
  await new Agent({ server }, 'log', '--task-id', 'another', 'INFO', 'here I am').endsWith(0)
  await until('the spool is delivered', () => spoolFolders(server).length === 0)
}

const spoolOf = (server: TestServer) => join(server.home, '.keruta/spool')

function spoolFolders(server: TestServer): string[] {
  return readdirSync(spoolOf(server))
}

function spooled(server: TestServer): string {
  return spoolFolders(server)
    .flatMap(folder =>
      readdirSync(join(spoolOf(server), folder)).map(name => join(spoolOf(server), folder, name)),
    )
    .filter(path => path.endsWith('.seg'))
    .map(path => readFileSync(path, 'latin1'))
    .join('')
}
