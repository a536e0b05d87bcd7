import { strict as assert } from 'node:assert'
import type { LogEntry, LogState } from '#protocol/log.ts'
import type { TestServer } from '#server/testing/test-server.ts'
import type { SteadyReader } from './steady-reader.ts'
import { until } from './until.ts'

/** The whole log as it is stored. Its seqs count 1, 2, 3 … */
export async function storedLog(server: TestServer, taskId: string): Promise<LogEntry[]> {
  const answer = await server.api(`/tasks/${taskId}/logs/export?format=ndjson`)
  assert.equal(answer.status, 200, `export: ${answer.status}`)
  const entries = (await answer.text())
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as LogEntry)
  entries.forEach((entry, index) => {
    assert.equal(entry.seq, index + 1, `the stored seqs count up; entry ${index} has seq ${entry.seq}`)
  })
  return entries
}

export async function logStateOf(server: TestServer, taskId: string): Promise<LogState['state']> {
  const answer = await server.api(`/tasks/${taskId}`)
  assert.equal(answer.status, 200, `task: ${answer.status}`)
  return ((await answer.json()) as { logState: LogState }).logState.state
}

/** Each writer's lines, by the word before the number; every one counts 1 … `lines`, each once, in order. */
export function demandEveryLineOnce(
  entries: LogEntry[],
  lines: number,
  of: (entry: LogEntry) => boolean,
): void {
  const numbers = entries.filter(of).map(entry => numberOf(entry))
  numbers.forEach((number, index) => {
    if (number === index + 1) return
    const around = numbers.slice(Math.max(0, index - 2), index + 3).join(', ')
    assert.fail(
      `line ${index + 1} should be here, there is ${number} (… ${around} …), of ${numbers.length} lines`,
    )
  })
  assert.equal(numbers.length, lines, 'as many lines are stored as were written')
}

/** `12 …` or `writer 12 …`. */
function numberOf(entry: LogEntry): number {
  return Number(/\b(\d+)\b/.exec(entry.message)?.[1])
}

/** Waits until each reader has come to the log's end, and holds what it got against what is stored. */
export async function demandSteadyReading(readers: SteadyReader[], stored: LogEntry[]): Promise<void> {
  for (const reader of readers) {
    const at = () =>
      `${reader.name}: line ${reader.lastSeq} of ${stored.length}, ${reader.connections} connections`
    await until(`${reader.name} reads to the end`, () => reader.lastSeq >= stored.length).catch(error => {
      throw new Error(`${error.message} (${at()})`)
    })
    const announced = new Set<number>()
    for (const { from, to } of reader.gaps) for (let seq = from; seq <= to; seq++) announced.add(seq)
    let next = 1
    for (const entry of reader.entries) {
      while (next < entry.seq && announced.has(next)) next++
      assert.equal(entry.seq, next, `${reader.name} misses ${next} without a gap, or got ${entry.seq} twice`)
      assert.equal(
        entry.message,
        stored[entry.seq - 1]?.message,
        `${reader.name} got another line ${entry.seq}`,
      )
      next++
    }
    while (announced.has(next)) next++
    assert.equal(next, stored.length + 1, `${reader.name} reads to the end`)
  }
}
