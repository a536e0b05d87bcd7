import { TestServer } from '#server/testing/test-server.ts'
import { Agent } from './agent.ts'
import { BadNetwork } from './proxy.ts'
import { Random } from './random.ts'
import { readOnAllTransports } from './steady-reader.ts'
import { demandEveryLineOnce, demandSteadyReading, storedLog } from './verify.ts'

const AGENTS = ['agent-a', 'agent-b']
const CALLERS = ['rest-a', 'rest-b', 'rest-c']

/** Two agents, over a bad network, and three REST callers write to one task at once. */
export async function writeAsACrowd({ seed, lines }: { seed: number; lines: number }): Promise<void> {
  const random = new Random(seed)
  const server = await TestServer.start({ KERUTA_INGEST_RATE: '0' })
  const network = await BadNetwork.start(() => server.url, random)
  const readers = readOnAllTransports(server.url, 'crowd')
  try {
    const agents = AGENTS.map(name => stream(server, network, name, lines))
    await Promise.all([...agents, ...CALLERS.map(name => post(server, name, lines, random))])
    const stored = await storedLog(server, 'crowd')
    for (const name of [...AGENTS, ...CALLERS])
      demandEveryLineOnce(stored, lines, entry => entry.message.startsWith(`${name} `))
    await demandSteadyReading(readers, stored)
  } finally {
    for (const reader of readers) reader.close()
    await network.stop()
    await server.dispose()
  }
}

async function stream(server: TestServer, network: BadNetwork, name: string, lines: number): Promise<void> {
  const agent = new Agent({ server, url: network.url }, 'log', '-', '--task-id', 'crowd')
  for (let number = 1; number <= lines; number++) {
    if (!agent.child.stdin!.write(`${name} ${number} of the crowd\n`)) await drained(agent)
  }
  agent.child.stdin!.end()
  await agent.endsWith(0)
}

function drained({ child, ended }: Agent): Promise<unknown> {
  return Promise.race([new Promise(resolve => child.stdin!.once('drain', resolve)), ended])
}

async function post(server: TestServer, name: string, lines: number, random: Random): Promise<void> {
  for (let written = 0; written < lines; ) {
    const count = Math.min(lines - written, random.int(1, 200))
    const entries = Array.from({ length: count }, (_, index) => ({
      message: `${name} ${written + index + 1} of the crowd`,
    }))
    await server.post('/tasks/crowd/logs', { entries })
    written += count
  }
}
