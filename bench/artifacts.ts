import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TestServer } from '#server/testing/test-server.ts'
import type { Row } from './rows.ts'
import { agentEnvironment, cli } from './support/agent.ts'
import { residentMb } from './support/memory.ts'
import { startHelper, timeOf } from './support/process.ts'
import { median, repeat } from './support/samples.ts'

const MB = 100

/** One large file from the agent to the server. */
export async function artifacts(): Promise<Row[]> {
  const server = await TestServer.start()
  const file = join(server.home, 'large.bin')
  await pipeline(Readable.from(megabytes(MB)), createWriteStream(file))
  const bare = await startHelper('programs/bare-upload.ts', join(server.home, 'bare.bin'))
  try {
    await server.post('/tasks', { id: 'artifacts' })
    const before = residentMb(server.pid)
    let nth = 0
    const add = async () => {
      // Of a path of its own: the same file once more would not be sent again.
      const args = [
        cli,
        'artifact',
        'add',
        file,
        '--task-id',
        'artifacts',
        '--path',
        `large-${++nth}`,
        '--quiet',
      ]
      return MB / (await timeOf(process.execPath, args, { env: agentEnvironment(server), cwd: server.home }))
    }
    const curl = async () => MB / (await timeOf('curl', ['-sS', '-T', file, bare.url]))
    const added = median(await repeat(1, 5, add))
    const plain = median(await repeat(1, 5, curl))
    const more = residentMb(server.pid) - before
    return [
      {
        what: `keruta artifact add of ${MB} MB`,
        measured: added,
        unit: 'MB/s',
        bare: plain,
        bareWhat: 'curl -T to Node',
        goal: '≥ 0.5 ×',
        ok: added >= 0.5 * plain,
        note: 'from start to end of both programs; both servers keep a durable file',
      },
      {
        what: 'memory that uploads add to the server',
        measured: more,
        unit: 'MB',
        goal: '≤ 60 MB',
        ok: more <= 60,
      },
    ]
  } finally {
    await bare.stop()
    await server.dispose()
  }
}

function* megabytes(count: number): Generator<Buffer> {
  for (let nth = 0; nth < count; nth++) yield randomBytes(1_000_000)
}
