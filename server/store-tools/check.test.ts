import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { fillStore } from './test/fill.ts'
import { runStore } from './test/run.ts'
import { useStore } from './test/use.ts'

vi.setConfig({ testTimeout: 90_000 })

let home: string
let dataDir: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'keruta-check-'))
  dataDir = join(home, 'data')
  await useStore({ kind: 'sqlite', dataDir }, fillStore)
})
afterEach(() => rm(home, { recursive: true }))

const check = () => runStore(['check'], { KERUTA_DATA_DIR: dataDir })
function change(file: string, ...statements: string[]): void {
  const db = new DatabaseSync(join(dataDir, file))
  for (const statement of statements) db.exec(statement)
  db.close()
}

it('a good store has nothing wrong, and what was deleted in the middle of a log is noted', async () => {
  const { code, stdout, stderr } = await check()
  expect(stdout).toMatch(
    /^nothing is wrong in sqlite:.*: 11 entities, 7 logs with 9 600 lines, 2 artifacts\n$/,
  )
  expect(stderr.split('\n')[0]).toBe(
    'note: the log of task-0 has no lines 201 to 300: they were deleted, or lost',
  )
  expect(code).toBe(0)
})

it('what is wrong is said, each where it is and with what to do, and the rest is checked too', async () => {
  const bodyOf = (taskId: string, seq: number) =>
    `(SELECT body_id FROM segment WHERE task_id = '${taskId}' AND first_seq = ${seq})`
  change(
    'segments.db',
    `UPDATE body SET bytes = x'00112233' WHERE id = ${bodyOf('task-0', 301)}`,
    `UPDATE segment SET stored_bytes = 4 WHERE task_id = 'task-0' AND first_seq = 301`,
    `UPDATE body SET bytes = zeroblob(300) WHERE id = ${bodyOf('task-1', 1)}`,
    `UPDATE segment SET max_at = max_at + 1 WHERE task_id = 'task-2' AND first_seq = 401`,
    `UPDATE task_log SET lines = lines + 1 WHERE task_id = 'task-3'`,
    `UPDATE stream SET n = 99999 WHERE task_id = 'task-4' AND stream_id = 'of-task-4'`,
    `DELETE FROM body WHERE id = ${bodyOf('TASK-0', 1)}`,
  )
  change('keruta.db', `UPDATE Task SET status = 'LOST' WHERE id = 'task-1'`)
  await writeFile(join(dataDir, 'artifacts/empty'), 'not empty')
  await truncate(join(dataDir, 'artifacts/whole'), 1000)
  const { code, stdout, stderr } = await check()
  const problems = stderr
    .split('\n')
    .filter(line => line.startsWith('problem: '))
    .sort()
  expect(problems).toEqual([
    expect.stringMatching(/^problem: tasks task-1: status: unknown status; one of .*; mend or delete it$/),
    expect.stringMatching(
      /^problem: the artifact whole \(whole.bin of task-0\): its bytes are not those of its sha256; delete it/,
    ),
    expect.stringMatching(
      /^problem: the log of task-3: its totals say lines 1901, its segments 1900; copy the store/,
    ),
    expect.stringMatching(
      /^problem: the log of task-4: its streams have sent 99999 lines, which is more than the 2000/,
    ),
    expect.stringMatching(
      /^problem: the segment of TASK-0 at seq 1 has no body; delete the log of TASK-0, or restore a backup/,
    ),
    expect.stringMatching(
      /^problem: the segment of task-0 at seq 301 cannot be opened: 4 bytes are too few for a segment;/,
    ),
    expect.stringMatching(/^problem: the segment of task-1 at seq 1 cannot be opened: .*;/),
    expect.stringMatching(
      /^problem: the segment of task-2 at seq 401: its header says maxAt \d+, its body has \d+;/,
    ),
  ])
  expect(stdout).toMatch(/^8 problems in sqlite:/)
  expect(code).toBe(1)
})

it('a copy of a damaged store says what is wrong, keeps the rest, and is not whole', async () => {
  change('segments.db', `UPDATE body SET bytes = zeroblob(300) WHERE id > 3 AND id < 5`)
  const to = join(home, 'to')
  const { code, stdout, stderr } = await runStore(['copy', dataDir, to])
  expect(stderr).toMatch(
    /^problem: the segment of task-\d at seq \d+ cannot be opened: .*; delete that log, or restore a backup/,
  )
  expect(stdout).toContain('is not whole yet')
  expect(code).toBe(1)
})
