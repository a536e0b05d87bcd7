import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { FailTask, Observations, ReleaseTask, StartTask, SuccessTask } from '#protocol/task-calls.ts'

/** What an agent has to tell the server beside the lines, kept beside them until it has been told. */
export interface SpoolMeta {
  version: 1
  taskId: string
  streamId: string
  agentId: string
  apiUrl: string
  websocketUrl: string
  owner: Owner
  /** Whether the stream is a script's, whose end decides the task's. */
  runs?: boolean
  start?: StartTask
  /** Steps and metrics that are yet to be told. */
  observations?: Observations
  /** Lines of the stream, once it has ended. */
  endN?: number
  finish?: Finish
  /** What its script leaves there, from this time (ms) on where the folder is not its own, is to be uploaded at the run's end. */
  folder?: { path: string; isOwn: boolean; since: number }
  /** Copies of what could not be uploaded lie beside. */
  keeps?: boolean
  /** The lines and the end are told. */
  told?: boolean
  /** The script's process while it runs: leader of a group. */
  child?: Owner
}

/** How a run ended, by the call that tells it. */
export type Finish = { success: SuccessTask } | { fail: FailTask } | { release: Omit<ReleaseTask, 'agentId'> }

/** A process, told from a later one that was given the same id by the time it started. */
export interface Owner {
  host: string
  pid: number
  startedAt: string
  /** It lives and will not deliver this any more: whoever comes may, itself too. */
  gaveUp?: boolean
}

/** Room on the disk for the notes of an end, which lines may fill before. */
const RESERVED_BYTES = 16 * 1024

export function writeMeta(dir: string, meta: SpoolMeta): void {
  const path = join(dir, 'meta.json')
  const reserve = join(dir, 'reserve')
  const write = () => writeFileSync(`${path}.new`, JSON.stringify(meta), { mode: 0o600 })
  try {
    write()
    if (!existsSync(path)) writeFileSync(reserve, Buffer.alloc(RESERVED_BYTES, 'x'))
  } catch (error) {
    if (!existsSync(reserve)) throw error
    rmSync(reserve)
    rmSync(`${path}.new`, { force: true })
    write()
  }
  renameSync(`${path}.new`, path)
}

/** `undefined` where there is none that can be read. */
export function readMeta(dir: string): SpoolMeta | undefined {
  try {
    const meta = JSON.parse(readFileSync(join(dir, 'meta.json'), 'utf8')) as SpoolMeta
    return meta.version === 1 && typeof meta.taskId === 'string' && typeof meta.streamId === 'string'
      ? meta
      : undefined
  } catch {
    return undefined
  }
}

// In a container that is started again the same host gives the same pid again.
const mark = Math.random().toString(36).slice(2, 6).padEnd(4, '0')

/** This process's name towards the server, never given twice. */
export function agentIdOf(): string {
  return `${hostname().slice(0, 100)}:${process.pid}-${mark}`
}

export function thisProcess(): Owner {
  return ownerOf(process.pid)
}

/** A process of this machine that lives. */
export function ownerOf(pid: number): Owner {
  return { host: hostname(), pid, startedAt: startOf(pid) ?? '' }
}

/** Kills the group of a process that its agent left behind, where it is certain that it is still that one. */
export function killLeftBehind(child: Owner): void {
  const isIt = child.host === hostname() && child.startedAt !== '' && startOf(child.pid) === child.startedAt
  if (!isIt) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has just gone.
  }
}

/** Whether the process lives, as far as this machine can know. */
export function isAlive(owner: Owner): boolean {
  if (owner.gaveUp) return false
  if (owner.host !== hostname()) return false
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const startedAt = startOf(owner.pid)
  return startedAt === undefined || owner.startedAt === '' || startedAt === owner.startedAt
}

/** Start time in clock ticks since boot, where there is a /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
