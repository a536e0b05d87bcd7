import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]
const folders = 'agent|app|bench|deploy|docs|e2e|prisma|protocol|public|scripts|server'

describe.each(documents)('%s', document => {
  const text = readFileSync(join(root, document), 'utf8')

  it('names only files and folders that exist', () => {
    const inBackquotes = [...text.matchAll(/`([^`\n]+)`/g)].map(match => match[1]!)
    const paths = inBackquotes.filter(path => new RegExp(`^(${folders})(/[\\w.-]+)*/?$`).test(path))
    expect(paths.filter(path => !existsSync(join(root, path)))).toEqual([])
  })

  it('links only to files that exist', () => {
    const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(match => match[1]!)
    const local = targets.filter(target => !/^[a-z]+:/.test(target))
    expect(local.filter(target => !existsSync(join(root, dirname(document), target)))).toEqual([])
  })
})

it("The server's image starts it with the flags that npm start gives it", () => {
  const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8')
  const flags: string[] = JSON.parse(readFileSync(join(root, 'server/node-flags.json'), 'utf8'))
  expect(dockerfile).toContain(
    `CMD ${JSON.stringify(['node', ...flags, 'server/main.ts']).replaceAll(',', ', ')}`,
  )
})
