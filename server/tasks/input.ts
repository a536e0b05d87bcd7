import { createHash } from 'node:crypto'
import { KerutaError } from '#protocol/errors.ts'
import type { Task } from '#protocol/task.ts'
import type { Input, TaskInput, Waiting } from '#protocol/task-calls.ts'
import type { Collection } from '#server/store/store.ts'
import type { Actor, TaskChange, Tasks } from './tasks.ts'

export interface InputsDeps {
  tasks: Pick<Tasks, 'find' | 'get' | 'change'>
  inputs: Collection<TaskInput>
  /** Called when input waits for the agent that runs this task. */
  onInput(taskId: string): void
  /** Milliseconds since the epoch. */
  clock: () => number
  /** An id that sorts after those of earlier times (ms). */
  newId: (at: number) => string
}

/** What is typed to running scripts. It is kept until the agent has it, or the run is over. An unknown task is NOT_FOUND. */
export interface Inputs {
  /** The script waits for input, or goes on. CONFLICT where the run is not this agent's, or takes none. */
  waiting(taskId: string, report: Waiting): Promise<Task>
  /** @returns the input's id. CONFLICT where the task does not run or takes no input, TOO_LARGE over 64 KiB */
  send(taskId: string, input: Input, by: Actor): Promise<string>
  /** What the run of this agent has not taken yet, in the order it came; nothing where the run is not its own. */
  pending(taskId: string, agentId: string): Promise<TaskInput[]>
  /**
   * The agent has it: it is forgotten.
   * @param sentAt when it was sent there, ms: what the script has asked since stands
   */
  taken(taskId: string, agentId: string, inputId: string, sentAt: number): Promise<void>
  /** Forgets what no run will take any more. */
  onChange(change: TaskChange): Promise<void>
}

const MAX_WAITING = 100
const MAX_BYTES = 64 * 1024

export function createInputs({ tasks, inputs, onInput, clock, newId }: InputsDeps): Inputs {
  let lastAt = 0

  /** Of one run, in the order of their coming, also within a millisecond. */
  const nextId = (task: Task) => {
    lastAt = Math.max(clock(), lastAt + 1)
    return prefixOf(task) + newId(lastAt)
  }

  async function pendingOf(task: Task): Promise<TaskInput[]> {
    const waiting = await inputs.find({ where: { taskId: task.id } })
    return waiting.filter(input => isForRun(input, task))
  }

  return {
    waiting: (taskId, { agentId, prompt, secret }) =>
      tasks.change(taskId, (task, now) => {
        if (agentId !== undefined && agentId !== task.agentId)
          throw new KerutaError('CONFLICT', `task ${taskId} is not run by agent ${agentId}`)
        if (prompt === null) return task.waitingForInput ? { waitingForInput: null } : undefined
        checkTakesInput(task)
        const before = task.waitingForInput
        if (before?.prompt === prompt && before.secret === secret) return undefined
        return { waitingForInput: { prompt, secret, since: new Date(now).toISOString() } }
      }),
    async send(taskId, { text, newline, eof, secret }, by) {
      const task = await tasks.get(taskId)
      checkTakesInput(task)
      checkText(text)
      const waiting = await inputs.count({ taskId })
      if (waiting >= MAX_WAITING)
        throw new KerutaError(
          'CONFLICT',
          `${waiting} inputs wait for task ${taskId} already: its script has to read them first`,
        )
      const input: TaskInput = {
        id: nextId(task),
        taskId,
        text: newline && (text !== '' || !eof) ? `${text}\n` : text,
        eof,
        // Whoever answers a script that asks for a password may not have seen that it does.
        secret: secret || task.waitingForInput?.secret === true,
        by: by.name,
        createdAt: new Date(clock()).toISOString(),
      }
      await inputs.insert(input)
      const now = await tasks.find(taskId)
      if (!now || !isForRun(input, now)) {
        await inputs.remove({ id: input.id })
        throw new KerutaError('CONFLICT', `task ${taskId} ended before its script could take the input`)
      }
      onInput(taskId)
      return input.id
    },
    async pending(taskId, agentId) {
      const task = await tasks.find(taskId)
      return task?.agentId === agentId ? pendingOf(task) : []
    },
    async taken(taskId, agentId, inputId, sentAt) {
      const task = await tasks.find(taskId)
      if (task?.agentId !== agentId || (await inputs.remove({ id: inputId, taskId })) === 0) return
      await tasks.change(taskId, ({ waitingForInput }) =>
        waitingForInput && Date.parse(waitingForInput.since) <= sentAt
          ? { waitingForInput: null }
          : undefined,
      )
    },
    async onChange({ kind, task: { id: taskId, status }, before }) {
      const runEnded = before?.status === 'PROCESSING' && status !== 'PROCESSING'
      if (kind !== 'deleted' && !runEnded) return
      const task = await tasks.find(taskId)
      const waiting = await inputs.find({ where: { taskId } })
      const left = waiting.filter(input => !task || !isForRun(input, task)).map(({ id }) => id)
      if (left.length > 0) await inputs.remove({ id: { in: left } })
    },
  }
}

/** What was meant for one run is never given to the next, whatever was left behind: its id names the run. */
function prefixOf({ attempt, agentId }: Task): string {
  return `${createHash('sha256').update(`${attempt} ${agentId}`).digest('hex').slice(0, 12)}.`
}

function isForRun(input: TaskInput, task: Task): boolean {
  return task.status === 'PROCESSING' && input.id.startsWith(prefixOf(task))
}

function checkTakesInput({ id, status, interactive, agentId }: Task): void {
  const problem =
    status !== 'PROCESSING'
      ? `task ${id} is ${status}; only a running script takes input`
      : !interactive || agentId === null
        ? `task ${id} takes no input: its agent was started without KERUTA_USE_HTTP_INPUT=true`
        : undefined
  if (problem !== undefined) throw new KerutaError('CONFLICT', problem)
}

function checkText(text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > MAX_BYTES)
    throw new KerutaError(
      'TOO_LARGE',
      `the text has ${bytes} bytes, ${MAX_BYTES} are taken at once: send it in parts`,
    )
  if (!text.includes('\0')) return
  const message = 'holds a NUL character, which cannot be typed'
  throw new KerutaError('BAD_REQUEST', `text: ${message}`, { errors: [{ path: 'text', message }] })
}
