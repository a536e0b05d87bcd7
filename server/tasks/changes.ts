import { KerutaError } from '#protocol/errors.ts'
import type { Task } from '#protocol/task.ts'
import type { Collection, Where } from '#server/store/store.ts'

export interface TaskChange {
  kind: 'created' | 'updated' | 'deleted'
  task: Task
  /** The task as it was, with `updated`. */
  before?: Task
}

export interface TaskChangesDeps {
  tasks: Collection<Task>
  /** Called after the store has the change. */
  onChange(change: TaskChange): void
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** How tasks are written: by atomic updates that name the state that they expect, whichever server they come from. */
export interface TaskChanges {
  /** NOT_FOUND where there is none. */
  get(id: string): Promise<Task>
  /** False where the id is taken. */
  insert(task: Task): Promise<boolean>
  /**
   * Writes the patch if the task is still as it was read.
   * @param expected more that must be as it says, beside the version
   * @returns the task as it is now; undefined where somebody came first
   */
  write(task: Task, patch: Partial<Task>, expected?: Where<Task>): Promise<Task | undefined>
  /**
   * Writes what `patchOf` makes of the task as it is at that moment, whoever else changes it: `patchOf` is asked again where somebody
   * came first, and nothing is written where it answers nothing.
   */
  change(id: string, patchOf: (task: Task, now: number) => Partial<Task> | undefined): Promise<Task>
}

export function createTaskChanges({ tasks, onChange, clock }: TaskChangesDeps): TaskChanges {
  async function get(id: string): Promise<Task> {
    const task = await tasks.get(id)
    if (!task) throw new KerutaError('NOT_FOUND', `there is no task ${id}`)
    return task
  }

  async function write(task: Task, patch: Partial<Task>, expected?: Where<Task>): Promise<Task | undefined> {
    const { id, status, attempt, updatedAt } = task
    const changed = { ...patch, updatedAt: laterThan(updatedAt, clock()) }
    if ((await tasks.update({ id, status, attempt, updatedAt, ...expected }, changed)) === 0) return undefined
    const updated = { ...task, ...changed }
    onChange({ kind: 'updated', task: updated, before: task })
    return updated
  }

  return {
    get,
    write,
    async insert(task) {
      const inserted = await tasks.insert(task)
      if (inserted) onChange({ kind: 'created', task })
      return inserted
    },
    async change(id, patchOf) {
      for (;;) {
        const task = await get(id)
        const patch = patchOf(task, clock())
        if (!patch) return task
        const updated = await write(task, patch)
        if (updated) return updated
      }
    },
  }
}

/** `updatedAt` is a task's version too: it rises with each change, also within a millisecond or where a server's clock is behind. */
function laterThan(updatedAt: string, now: number): string {
  return new Date(Math.max(now, Date.parse(updatedAt) + 1)).toISOString()
}
