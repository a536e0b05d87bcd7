import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { binOf, projectNode } from './project.mjs'
import { runToEnd } from './run.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * A browser for the tests: the system's, else Debian's package, else Playwright's own download.
 * @returns `{path}`; `{}` where Playwright knows its own; `{skip: reason}` where none is to be had
 */
export async function findChromium() {
  const path = process.env.KERUTA_TEST_CHROMIUM || onPath(NAMES)
  if (path) return { path }
  if (process.getuid?.() === 0 && onPath(['apt-get'])) {
    console.log('No Chromium here; installing the system package …')
    const options = { quiet: true, timeoutMs: 4 * 60_000, env: { DEBIAN_FRONTEND: 'noninteractive' } }
    await runToEnd('apt-get', ['update'], options)
    await runToEnd('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options)
    const installed = onPath(NAMES)
    if (installed) return { path: installed }
  }
  console.log('No Chromium here; downloading the one that Playwright knows …')
  const args = [binOf('@playwright/test', 'playwright'), 'install', 'chromium']
  const { code, output } = await runToEnd(projectNode(), args, { quiet: true, timeoutMs: 3 * 60_000 })
  if (code === 0) return {}
  return { skip: `no Chromium found, and none could be installed: ${output.trim().split('\n').at(-1)}` }
}

function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap(folder => names.map(name => join(folder, name))).find(existsSync)
}
