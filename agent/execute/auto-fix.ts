import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AutoFixContext } from '#protocol/task-calls.ts'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'
import { removeFolder } from '../remove-folder.ts'
import { PrepareError } from './prepare.ts'

/** What an auto-fix task is to mend, as files and variables. @throws PrepareError where it cannot be had */
export async function fetchAutoFix(
  context: Context,
  taskId: string,
): Promise<{ env: Environment; remove(): void }> {
  const failure = await fetchFailure(context, taskId)
  const dir = mkdtempSync(join(tmpdir(), 'keruta-auto-fix-'))
  const { script, lines, ...error } = failure
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text, { mode: 0o600 })
  put('script', script ?? '')
  put('error.json', `${JSON.stringify(error, null, 2)}\n`)
  put('log.txt', lines.map(line => `${line}\n`).join(''))
  const env = {
    KERUTA_AUTO_FIX_DIR: dir,
    KERUTA_AUTO_FIX_OF: error.taskId,
    KERUTA_AUTO_FIX_ERROR_CODE: error.errorCode ?? '',
    KERUTA_AUTO_FIX_EXIT_CODE: String(error.exitCode ?? ''),
    KERUTA_AUTO_FIX_MESSAGE: error.message ?? '',
  }
  return { env, remove: () => removeFolder(dir) }
}

async function fetchFailure(context: Context, taskId: string): Promise<AutoFixContext> {
  try {
    const api = await context.api()
    return await api.get<AutoFixContext>(`/tasks/${encodeURIComponent(taskId)}/auto-fix`)
  } catch (error) {
    throw new PrepareError(
      'AUTO_FIX_FAILED',
      `what is to be mended could not be fetched: ${(error as Error).message}`,
    )
  }
}
