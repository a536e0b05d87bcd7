import type { TaskRow } from '#protocol/task.ts'

type Queued = Pick<TaskRow, 'id' | 'priority' | 'createdAt'>
export interface PriorityChange {
  readonly id: string
  readonly priority: number
}

/**
 * The fewest changes of priority that put the task at `from` to the place `to` of a queue, which is worked off by priority, the
 * highest first, then by age. Where no single priority fits between the neighbours, those before or those behind it move too,
 * whichever are fewer.
 */
export function moveInQueue(queue: readonly Queued[], from: number, to: number): PriorityChange[] {
  const moved = queue[from]
  if (!moved || from === to || to < 0 || to >= queue.length) return []
  const order = queue.filter((_, at) => at !== from)
  order.splice(to, 0, moved)
  const low = order[to + 1] && leastBefore(moved, order[to + 1] as Queued)
  const high = order[to - 1] && mostBehind(moved, order[to - 1] as Queued)
  if (low === undefined || high === undefined || low <= high) {
    const priority = Math.min(high ?? Infinity, Math.max(low ?? -Infinity, moved.priority))
    return priority === moved.priority ? [] : [{ id: moved.id, priority }]
  }
  const up = pushed(order, to, low, -1, leastBefore)
  const down = pushed(order, to, high, 1, mostBehind)
  return up.length <= down.length ? up : down
}

/** The moved task gets `priority`; its neighbours on one side give way as far as they must. */
function pushed(
  order: readonly Queued[],
  at: number,
  priority: number,
  step: 1 | -1,
  bound: (task: Queued, neighbour: Queued) => number,
): PriorityChange[] {
  let last = { ...(order[at] as Queued), priority }
  const changes: PriorityChange[] = [{ id: last.id, priority }]
  for (let next = order[at + step]; next; next = order[at + step]) {
    const needed = bound(next, last)
    if (step < 0 ? next.priority >= needed : next.priority <= needed) break
    last = { ...next, priority: needed }
    changes.push({ id: next.id, priority: needed })
    at += step
  }
  return changes
}

/** As the server takes them: by priority, the highest first, then by age. */
export const byTurn = (a: Queued, b: Queued): number => b.priority - a.priority || (isOlder(a, b) ? -1 : 1)

/** Lowest priority with which `task` is taken before `behind`. */
const leastBefore = (task: Queued, behind: Queued): number =>
  behind.priority + (isOlder(task, behind) ? 0 : 1)

/** Highest priority with which `task` is taken after `before`. */
const mostBehind = (task: Queued, before: Queued): number => before.priority - (isOlder(before, task) ? 0 : 1)

const isOlder = (a: Queued, b: Queued): boolean =>
  a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt
