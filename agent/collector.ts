import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What collects garbage, which Node shows to those only who ask for it by a flag. */
export function collector(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as NodeJS.GCFunction
}
