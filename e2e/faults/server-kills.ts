import { strict as assert } from 'node:assert'
import { TestServer } from '#server/testing/test-server.ts'
import { NumberedTask } from './agent.ts'
import { Random } from './random.ts'
import { readOnAllTransports } from './steady-reader.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, demandSteadyReading, logStateOf, storedLog } from './verify.ts'

/**
 * An agent streams numbered lines while the server is killed with −9 at random lines and started again. Readers on all transports
 * are there from the first line on.
 */
export async function killTheServer({
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
  const task = await NumberedTask.start({ server }, 'kills')
  const readers = readOnAllTransports(server.url, 'kills')
  const seen = () => Math.max(...readers.map(reader => reader.lastSeq))
  try {
    const moments = random.moments(kills, 1, lines)
    for (const [index, moment] of moments.entries()) {
      // The child prints on while the server is away.
      task.print(moments[index + 1] ?? lines)
      await until(`line ${moment} is stored`, () => seen() >= moment)
      await server.stop('SIGKILL')
      await server.start()
      assert.notEqual(
        await logStateOf(server, 'kills'),
        'complete',
        'nobody can say complete while the task runs',
      )
    }
    await task.printed(lines)
    await task.exit()
    const stored = await storedLog(server, 'kills')
    demandEveryLineOnce(stored, lines, entry => entry.source === 'stdout')
    assert.equal(await logStateOf(server, 'kills'), 'complete')
    await demandSteadyReading(readers, stored)
  } finally {
    for (const reader of readers) reader.close()
    await task.dispose()
    await server.dispose()
  }
}
