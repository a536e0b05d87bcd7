import type { Principal } from '#server/auth/principal.ts'

/** Who may watch and write a task's log. Both reject with KerutaError FORBIDDEN; an unknown task is no error. */
export interface Access {
  read(principal: Principal, taskId: string): Promise<void>
  write(principal: Principal, taskId: string): Promise<void>
}
