import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeServer } from './fake-server.ts'
import { Keruta } from './keruta.ts'

let server: FakeServer
let keruta: Keruta
beforeEach(async () => {
  server = await FakeServer.start()
  keruta = new Keruta(server.url)
})
afterEach(async () => {
  keruta.clean()
  await server.stop()
})

const SECRET = 'hunter2/correct horse+battery'
const run = (script: string, env: Record<string, string> = {}, ...flags: string[]) =>
  keruta.run(['execute', '--task-id', 't', ...flags, '--', 'sh', '-c', script], env)
const lines = () => server.messages('t', 'stdout')

describe('a secret is shown as stars in the log', () => {
  it('by the name of its variable, and as it is on the terminal', async () => {
    const { stdout } = await run('echo "the password is $DB_PASSWORD."; echo "$KERUTA_API_TOKEN $HOME_URL"', {
      DB_PASSWORD: SECRET,
      HOME_URL: 'http://home',
    })
    expect(lines()).toEqual(['the password is ***.', '*** http://home'])
    expect(String(stdout)).toContain(`the password is ${SECRET}.`)
  })

  it('in every form and however it is printed', async () => {
    const forms = {
      base64: 'printf %s "$S" | base64',
      'base64 within other data': 'printf "user:%s:x" "$S" | base64',
      'base64 behind something longer': 'printf "someone:%s" "$S" | base64 -w0',
      'URL, form and JSON': `node -p 'const s = process.env.S; [encodeURIComponent(s), new URLSearchParams({s}), JSON.stringify({s})].join("\\n")'`,
      'wrapped lines': 'printf %s "$S" | fold -w 12; echo',
      colours: `printf 'hunter2/corr\\033[01;31m\\033[Kect horse\\033[m\\033[K+battery\\n'`,
      'byte after byte': `printf %s "$S" | sed 's/./&\\n/g' | while IFS= read -r c; do printf %s "$c"; done; echo`,
      'between bytes that are no text': `printf '\\377\\376%s\\377\\n' "$S"`,
      'a line that is longer than an entry may be': `head -c 65530 /dev/zero | tr '\\0' x; echo "$S"`,
    }
    const script = Object.entries(forms).map(([form, command]) => `echo "# ${form}"; ${command}; echo`)
    await run(script.join('\n'), { S: SECRET, KERUTA_MASK: SECRET })
    const shown = lines().join('\n').split('# ').slice(1)
    expect(shown.map(text => text.split('\n')[0])).toEqual(Object.keys(forms))
    for (const text of shown) {
      expect(text).toContain('***')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this is about
      const plain = text.replace(/\u001b\[[0-9;]*[mK]|\n/g, '')
      expect(plain).not.toMatch(/hunt|corr|horse|batt|aHVudGVy|Y29ycmVjd/)
    }
  })

  it('line by line where it has several', async () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n'
    await run('echo "$DEPLOY_PRIVATE_KEY"; echo "x kqhkiG9w0BAQEF y"', { DEPLOY_PRIVATE_KEY: key })
    expect(lines().join('\n')).not.toMatch(/MIIE|kqhk/)
    expect(lines().at(-1)).toBe('x *** y')
  })

  it('from the line on that says so, which does not show it', async () => {
    await run('echo before-4711; echo "::add-mask::before-4711"; echo "it is before-4711"')
    expect(lines()).toEqual(['before-4711', '::add-mask::***', 'it is ***'])
  })

  it('once `keruta redact add` has returned', async () => {
    const { stderr } = await run(
      'echo a-late-secret; keruta redact add a-late-secret; echo a-late-secret; printf other-secret | keruta redact add; echo other-secret',
    )
    expect(stderr).toBe('')
    expect(lines()).toEqual(['a-late-secret', '***', '***'])
  })

  it('in whatever else leaves the machine', async () => {
    await run(
      [
        'A=added; B="$A-secret"; keruta redact add "$B"',
        'keruta log WARN "it is $SITE_SECRET and $B" --step "step $SITE_SECRET" --metadata "key=$SITE_SECRET"',
        'keruta progress 50 --message "half of $SITE_SECRET"',
        'echo "$B" | keruta log -',
        'echo "::group::build $SITE_SECRET"',
        'keruta fail --message "no $SITE_SECRET" --error-code "E"',
      ].join('; '),
      { SITE_SECRET: 'site-secret' },
      '--name',
      'run with site-secret',
    )
    await run('exit 1; echo site-secret', { SITE_SECRET: 'site-secret' })
    const told = JSON.stringify(server.calls) + JSON.stringify([...server.entries])
    expect(told).toContain('it is *** and ***')
    expect(told).toContain('run with ***')
    expect(told).toContain('build ***')
    expect(told).not.toMatch(/site-secret|added-secret/)
  })

  it('but not what a variable of that kind says about one', async () => {
    const dir = mkdtempSync(join(keruta.home, 'x-'))
    const path = join(dir, 'key')
    writeFileSync(path, 'x')
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: path,
      GOOGLE_CREDENTIALS: path,
      MAX_TOKENS: '4096',
      USE_PASSWORD: 'true',
      TOKEN: '',
    }
    const { stderr } = await run(`echo "${path} 4096 true"`, env)
    expect([lines(), stderr]).toEqual([[`${path} 4096 true`], ''])
  })

  it('unless it is so short that half the log would be stars, which is said', async () => {
    const { stderr } = await run('echo abc; keruta redact add xy; echo "::add-mask::xyz"', { A_TOKEN: 'abc' })
    expect(lines()).toEqual(['abc', '::add-mask::***'])
    expect(stderr).toContain('the value of A_TOKEN has fewer than 4 bytes and is not masked')
    expect(stderr).toContain('the value is not masked: it has fewer than 4 bytes')
    expect(stderr, 'said twice').not.toContain('the value has fewer')
    expect(server.messages('t', 'agent').join('\n')).toContain('A_TOKEN')
    expect(JSON.stringify(server.calls)).not.toContain('"abc"')
  })
})

it('what cannot be a secret is shown at once, and of what begins as one at most three bytes', async () => {
  const { process: agent, ended } = keruta.start(
    [
      'execute',
      '--task-id',
      't',
      '--',
      'sh',
      '-c',
      'echo done; printf "Name hunter2/: "; read x; echo "Password: hun"; printf "token hunter"; read y; echo x',
    ],
    { S_SECRET: SECRET },
  )
  await vi.waitFor(() => expect(lines()).toEqual(['done', 'Name hunter2/: ']), 10_000)
  agent.stdin!.write('\n')
  await vi.waitFor(() => expect(lines().slice(2)).toEqual(['Password: hun', 'token ']), 10_000)
  agent.stdin!.end('\n')
  await ended
  expect(lines().slice(4)).toEqual(['hunterx'])
})

it('keeps nothing of a secret in the spool either', async () => {
  await server.stop()
  await run(
    'echo "$THE_SECRET"; echo "::group::$THE_SECRET"; exit 1',
    { THE_SECRET: SECRET },
    '--drain-timeout',
    '200ms',
  )
  const [name] = readdirSync(keruta.spool)
  const kept = readdirSync(join(keruta.spool, name!)).map(file =>
    readFileSync(join(keruta.spool, name!, file), 'latin1'),
  )
  expect(kept.join('')).toContain('::group::***')
  expect(kept.join('')).not.toContain('hunter2')
})

it('redact says what is wrong outside of a script, and with no value', async () => {
  const outside = await keruta.run(['redact', 'add', 'some-value'])
  expect([outside.code, outside.stderr]).toEqual([2, expect.stringContaining('works within a script')])
  const unknown = await keruta.run(['redact', 'remove', 'x'])
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('keruta redact add')])
})
