import { setFlagsFromString } from 'node:v8'

/** Whether V8 compiles what is called often with its optimizing compilers, from now on. They make it fast, and the process larger. */
export function optimize(wanted: boolean): void {
  for (const compiler of ['opt', 'maglev']) setFlagsFromString(`--${wanted ? '' : 'no-'}${compiler}`)
}
