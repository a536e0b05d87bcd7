import { readFileSync, statfsSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import type { Command } from 'commander'
import type { Handler } from '../cli.ts'
import type { Context } from '../context.ts'
import { describeFailure, EXIT } from '../exit.ts'
import { makeFolder } from '../make-folder.ts'
import { table } from '../table.ts'

const LEAST_DISK_BYTES = 100 * 1024 ** 2
const LEAST_MEMORY_SHARE = 0.05

interface Check extends Record<string, string> {
  check: string
  state: string
  detail: string
}

export function define(command: Command, action: (handler: Handler) => void): void {
  command
    .option('--check-api', 'only: is the server there and the token good')
    .option('--check-disk', 'only: is there room for the spool')
    .option('--check-memory', 'only: is there memory left')
    .addHelpText(
      'after',
      `
Without options everything is checked. The exit code is 0 when all is well, else 1.

Examples:
  $ keruta health
  $ keruta health --check-api --json`,
    )
  action(async (context, { checkApi, checkDisk, checkMemory }) => {
    const all = !checkApi && !checkDisk && !checkMemory
    const checks: Check[] = []
    if (all || checkApi) checks.push(await api(context))
    if (all || checkDisk) checks.push(disk(context.config.home))
    if (all || checkMemory) checks.push(memory())
    context.print(
      context.config.json
        ? JSON.stringify(checks, null, 2)
        : table(checks, ['check', 'state', 'detail'], process.stdout.columns),
    )
    return checks.every(({ state }) => state === 'ok') ? EXIT.success : EXIT.failure
  })
}

async function api(context: Context): Promise<Check> {
  try {
    const api = await context.api()
    const began = performance.now()
    const { version } = await api.get<{ version: string }>('/healthz', { retries: 0 })
    const took = Math.round(performance.now() - began)
    const { name, role } = await api.get<{ name: string; role: string }>('/me', { retries: 0 })
    return {
      check: 'api',
      state: 'ok',
      detail: `${api.url} answers in ${took} ms (version ${version}); ${name}, ${role}`,
    }
  } catch (error) {
    return { check: 'api', state: 'failed', detail: describeFailure(error).message }
  }
}

function disk(folder: string): Check {
  try {
    makeFolder(folder, 0o700)
    const { bavail, bsize } = statfsSync(folder)
    const free = bavail * bsize
    return {
      check: 'disk',
      state: free < LEAST_DISK_BYTES ? 'failed' : 'ok',
      detail: `${megabytes(free)} free in ${folder}`,
    }
  } catch (error) {
    return { check: 'disk', state: 'failed', detail: (error as Error).message }
  }
}

function memory(): Check {
  const free = availableMemory()
  const state = free < totalmem() * LEAST_MEMORY_SHARE ? 'failed' : 'ok'
  return { check: 'memory', state, detail: `${megabytes(free)} of ${megabytes(totalmem())} available` }
}

/** What the system could hand out, caches included, where it says so. */
function availableMemory(): number {
  try {
    return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1024
  } catch {
    return freemem()
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MB`
}
