import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Context } from '../context.ts'
import type { SpoolMeta } from '../delivery/meta.ts'
import { collect } from './collect.ts'
import { artifactsText, openLaterUploads } from './later.ts'
import { isTextFile } from './source.ts'

const MOST_NAMES = 5

/**
 * What lies in the folder of a run whose agent died. Which secrets its text files hold that agent alone knew: they stay where they are,
 * which is said. Others are uploaded, as they would have been.
 * @param budgetMs for all of it: what is not up by then goes on there the next time
 * @returns whether that is done
 */
export async function uploadLeftBehind(
  context: Context,
  meta: SpoolMeta,
  { path, isOwn, since }: NonNullable<SpoolMeta['folder']>,
  budgetMs: number,
): Promise<boolean> {
  const maxBytes = context.config.maxFileBytes
  const { files, left } = await collect(path, { maxBytes, changedSince: isOwn ? undefined : since })
  if (files.length + left === 0) return true
  const uploads = await openLaterUploads(context, meta, await context.secrets(), budgetMs)
  if (!uploads) return true
  const here: string[] = []
  let count = 0
  for (const { file, path: name } of files) {
    // Of a folder that others use as well nobody knows what is this run's.
    const maySend = isOwn && !(await isTextFile(file))
    const sent = maySend ? await uploads.send(file, name) : (await uploads.has(name)) ? 'there' : 'left'
    if (sent === 'again') return false
    if (sent === 'sent') count++
    if (sent === 'left' || sent instanceof Error) here.push(name)
    else if (isOwn) rmSync(file, { force: true })
  }
  if (count > 0)
    await uploads.say('INFO', `${artifactsText(count)} uploaded that the agent left when it died`)
  if (here.length + left === 0) {
    if (isOwn) rmSync(path, { recursive: true, force: true })
    return true
  }
  const names = here.length > MOST_NAMES ? [...here.slice(0, MOST_NAMES), '…'] : here
  const why = isOwn ? 'the agent that died alone knew which secrets are in them' : 'their agent died'
  const place = `they lie in ${path} on ${hostname()}, and keruta artifact add sends them`
  await uploads.say(
    'WARN',
    `${artifactsText(here.length + left)} not uploaded (${names.join(', ')}), because ${why}: ${place}`,
  )
  return true
}
