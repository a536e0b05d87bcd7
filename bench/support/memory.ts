import { readFileSync } from 'node:fs'

/** Resident memory of a process now (`VmRSS`), or the most it ever had (`VmHWM`), in MB. */
export function residentMb(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
}

/** Watches a process until stopped or until it ends; the answer is the most that it held, in MB. */
export function watchMemory(pid: number, everyMs = 50): () => number {
  let most = 0
  const look = () => {
    try {
      most = Math.max(most, residentMb(pid))
    } catch {
      clearInterval(timer)
    }
  }
  const timer = setInterval(look, everyMs)
  look()
  return () => {
    look()
    clearInterval(timer)
    return most
  }
}
