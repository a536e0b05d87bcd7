import { readdirSync, readFileSync } from 'node:fs'

/** When a child is looked at; from then on every second. */
const FIRST_LOOKS_MS = [20, 80, 200, 700]
const LOOK_MS = 1000
/** A large tree is looked at less often: at most this part of the time goes into it. */
const COST = 1 / 200
const MS_PER_TICK = 10

interface Cpu {
  user: number
  system: number
}

interface Resources {
  maxRssBytes: number | null
  cpuUserMs: number | null
  cpuSystemMs: number | null
}

/**
 * What a run's children and theirs use. Memory: what all of them have resident together, looked at now and then, or the largest that
 * one of them has ever had; what lives for less than 20 ms is not seen. CPU: of all that ended within the tree, as the system
 * counts it, and of those that live on. Nothing where there is no /proc.
 */
export class Usage {
  readonly #before = ticksOf('self')?.waitedFor
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #pids: number[] = []
  #maxRss = 0

  /** @param pid of the child that runs from now on; `undefined` for none */
  attach(pid: number | undefined): void {
    clearTimeout(this.#timer)
    if (pid === undefined || this.#before === undefined) return
    this.#looks = 0
    this.#lookLater(pid, 0)
  }

  /** Up to now. */
  get resources(): Resources {
    const after = ticksOf('self')?.waitedFor
    if (this.#before === undefined || after === undefined)
      return { maxRssBytes: null, cpuUserMs: null, cpuSystemMs: null }
    const living = this.#pids.flatMap(pid => {
      const ticks = ticksOf(pid)
      return ticks ? [ticks.own, ticks.waitedFor] : []
    })
    const sum = (part: keyof Cpu) =>
      living.reduce((total, each) => total + each[part], after[part] - this.#before![part]) * MS_PER_TICK
    return { maxRssBytes: this.#maxRss || null, cpuUserMs: sum('user'), cpuSystemMs: sum('system') }
  }

  #lookLater(pid: number, costMs: number): void {
    const wait = Math.max(FIRST_LOOKS_MS[this.#looks++] ?? LOOK_MS, costMs / COST)
    this.#timer = setTimeout(() => {
      const startedAt = performance.now()
      this.#look(pid)
      this.#lookLater(pid, performance.now() - startedAt)
    }, wait).unref()
  }

  #look(root: number): void {
    const pids = [root]
    let together = 0
    for (const pid of pids) {
      const status = read(`/proc/${pid}/status`)
      const rss = bytesIn(status, 'VmRSS')
      together += rss
      this.#maxRss = Math.max(this.#maxRss, together, bytesIn(status, 'VmHWM'))
      pids.push(...childrenOf(pid))
    }
    this.#pids = pids
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(thread =>
      (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

function bytesIn(status: string | undefined, field: string): number {
  const at = status?.indexOf(`\n${field}:`) ?? -1
  return at < 0 ? 0 : Number.parseInt(status!.slice(at + field.length + 2), 10) * 1024
}

/** Clock ticks of a process, and of its children that have ended and been waited for. */
function ticksOf(pid: number | 'self'): { own: Cpu; waitedFor: Cpu } | undefined {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // From the third field on: the second one may have anything in it.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const field = (number: number) => fields[number - 3]!
  return { own: { user: field(14), system: field(15) }, waitedFor: { user: field(16), system: field(17) } }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
