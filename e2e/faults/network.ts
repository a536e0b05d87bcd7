import { strict as assert } from 'node:assert'
import { TestServer } from '#server/testing/test-server.ts'
import { NumberedTask } from './agent.ts'
import { BadNetwork } from './proxy.ts'
import { Random } from './random.ts'
import { readOnAllTransports } from './steady-reader.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, demandSteadyReading, logStateOf, storedLog } from './verify.ts'

/** Agent and readers reach the server through a network that cuts, stalls and halves frames. */
export async function useABadNetwork({
  seed,
  lines,
  cuts,
}: {
  seed: number
  lines: number
  cuts: number
}): Promise<void> {
  const random = new Random(seed)
  const server = await TestServer.start()
  const network = await BadNetwork.start(() => server.url, random)
  const task = await NumberedTask.start({ server, url: network.url }, 'network')
  const readers = readOnAllTransports(network.url, 'network')
  try {
    const pieces = 20
    for (let piece = 1; piece <= pieces; piece++) {
      const to = Math.floor((lines * piece) / pieces)
      task.print(to)
      await until(`line ${to} is stored`, async () => readers.some(reader => reader.lastSeq >= to), 60_000)
      if (network.cuts >= cuts) network.bad = false
    }
    network.bad = false
    await task.exit()
    const stored = await storedLog(server, 'network')
    demandEveryLineOnce(stored, lines, entry => entry.source === 'stdout')
    assert.equal(await logStateOf(server, 'network'), 'complete')
    await demandSteadyReading(readers, stored)
    assert(network.cuts > 0, 'the network cut something')
  } finally {
    for (const reader of readers) reader.close()
    await task.dispose()
    await network.stop()
    await server.dispose()
  }
}
