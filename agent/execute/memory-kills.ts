import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How often the system has killed a process for memory: only that it has grown means something. */
export interface MemoryKills {
  /** In this process's control group, whose members its children are. */
  group: number
  /** Anywhere on the machine. */
  machine: number
}

/** @param root of the file system, for tests */
export function memoryKills(root = '/'): MemoryKills {
  const groups = read(root, 'proc/self/cgroup') ?? ''
  const own = /^0::(.*)$/m.exec(groups)?.[1]
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1]
  const files = [
    ...(own === undefined ? [] : [join('sys/fs/cgroup', own, 'memory.events')]),
    'sys/fs/cgroup/memory.events',
    ...(memory === undefined ? [] : [join('sys/fs/cgroup/memory', memory, 'memory.oom_control')]),
    'sys/fs/cgroup/memory/memory.oom_control',
  ]
  return { group: firstCount(root, files), machine: firstCount(root, ['proc/vmstat']) }
}

function firstCount(root: string, files: string[]): number {
  for (const file of files) {
    const count = /^oom_kill (\d+)$/m.exec(read(root, file) ?? '')?.[1]
    if (count !== undefined) return Number(count)
  }
  return 0
}

function read(root: string, file: string): string | undefined {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    return undefined
  }
}
