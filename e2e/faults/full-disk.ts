import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '#protocol/errors.ts'
import { TestServer } from '#server/testing/test-server.ts'
import { NumberedTask } from './agent.ts'
import { until } from './until.ts'
import { demandEveryLineOnce, logStateOf, storedLog } from './verify.ts'

/** A file system of its own that can be filled; `undefined`, with the reason, where this user may not mount one. */
export function mountSmallDisk(megabytes: number): { path: string; unmount(): void } | { reason: string } {
  const path = mkdtempSync(join(tmpdir(), 'keruta-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    rmSync(path, { recursive: true })
    return {
      reason: `no file system of limited size can be mounted here: ${(error as Error).message.trim()}`,
    }
  }
  return {
    path,
    unmount() {
      execFileSync('umount', [path])
      rmSync(path, { recursive: true })
    },
  }
}

/** The disk under the data folder fills up while an agent writes: everybody is told, nothing is lost, and it goes on by itself. */
export async function fillTheDisk({ path, lines }: { path: string; lines: number }): Promise<void> {
  const server = await TestServer.start({ KERUTA_DATA_DIR: join(path, 'data') })
  const task = await NumberedTask.start({ server }, 'disk')
  const ballast = join(path, 'ballast')
  try {
    task.print(1000)
    await until('the first lines are stored', async () => (await storedLines(server)) >= 1000)
    fill(ballast)
    task.print(lines)
    const problem = await postUntilRefused(server)
    assert(['DISK_FULL', 'STORE_UNAVAILABLE'].includes(problem.code), `${problem.code}: ${problem.detail}`)
    assert((await server.api('/tasks/disk/logs?limit=1')).ok, 'what is stored can still be read')
    await task.printed(lines)
    rmSync(ballast)
    await until('a caller may write again', async () => (await post(server, 'small')).ok)
    await task.exit()
    demandEveryLineOnce(await storedLog(server, 'disk'), lines, entry => entry.source === 'stdout')
    assert.equal(await logStateOf(server, 'disk'), 'complete')
  } finally {
    await task.dispose()
    await server.dispose()
  }
}

async function storedLines(server: TestServer): Promise<number> {
  const answer = await server.api('/tasks/disk/logs/stats')
  return answer.ok ? ((await answer.json()) as { totalLogs: number }).totalLogs : 0
}

/** Writes until nothing fits any more. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let block = Buffer.alloc(1024 * 1024, 1); block.length > 0; ) {
      try {
        writeSync(file, block)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        block = block.subarray(0, block.length >> 1)
      }
    }
  } finally {
    closeSync(file)
  }
}

const post = (server: TestServer, message: string) =>
  server.api('/tasks/other/logs', { method: 'POST', body: JSON.stringify({ message }) })

async function postUntilRefused(server: TestServer): Promise<Problem> {
  for (let call = 0; call < 2000; call++) {
    const answer = await post(server, 'm'.repeat(60_000))
    if (answer.status >= 500) return (await answer.json()) as Problem
    await answer.body?.cancel()
  }
  throw new Error('the disk is full, and the server takes lines all the same')
}
