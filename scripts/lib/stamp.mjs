import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './project.mjs'

const folder = join(root, '.cache', 'setup')

/** Whether the step's result stands and was made from these inputs, on this kind of machine. */
export function isUpToDate(step) {
  const result = join(root, step.result)
  const stamp = join(folder, step.name)
  return existsSync(result) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(step)
}

export function markDone(step) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, step.name), stampOf(step))
}

/** Names the inputs by content and the result by its time, so that a result made otherwise is not taken for ours. */
function stampOf(step) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  for (const input of step.inputs()) hash.update(`\0${input}`)
  return `${hash.digest('hex')} ${statSync(join(root, step.result)).mtimeMs}`
}

/** Names and contents of the files under these paths; a path that is absent counts as empty. */
export function contentsOf(...paths) {
  return paths.flatMap(path => {
    const full = join(root, path)
    if (!existsSync(full)) return []
    if (statSync(full).isFile()) return [path, readFileSync(full)]
    const children = readdirSync(full).filter(name => !/\.test\.tsx?$/.test(name))
    return contentsOf(...children.sort().map(name => join(path, name)))
  })
}
