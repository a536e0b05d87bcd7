import type { Session } from '#protocol/session.ts'
import type { Task } from '#protocol/task.ts'
import { allows, type Principal } from './principal.ts'

/** Stands for what only those may read who may run tasks. */
const HIDDEN = '***'

/** The task as this caller may read it: values of variables, which may be secrets, are for those who may run it. */
export function taskSeenBy<T extends Partial<Pick<Task, 'env'>>>(principal: Principal, task: T): T {
  return !task.env || seesValues(principal) ? task : withoutValues(task)
}

/** The same of a session's template. */
export function sessionSeenBy<T extends Pick<Session, 'template'>>(principal: Principal, session: T): T {
  const { template } = session
  if (!template || seesValues(principal)) return session
  return { ...session, template: { ...template, env: hidden(template.env) } }
}

/** Whether the caller may run tasks. */
export function seesValues(principal: Principal): boolean {
  return allows(principal, 'write')
}

/** The task with the names of its variables alone. */
export function withoutValues<T extends Partial<Pick<Task, 'env'>>>(task: T): T {
  return { ...task, env: hidden(task.env) ?? null }
}

function hidden<E extends Record<string, string> | null | undefined>(env: E): E {
  return env && (Object.fromEntries(Object.keys(env).map(name => [name, HIDDEN])) as E)
}
