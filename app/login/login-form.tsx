'use client'

import { Alert, Button, Center, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useMounted } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { Me } from '#protocol/auth.ts'
import { ApiError, get, post } from '../lib/api.ts'
import { safeNext } from '../lib/site-path.ts'
import { useMessages } from '../messages/use-messages.ts'

/** Takes an API key by hand, or from the fragment of a login link, which no server sees. */
export function LoginForm() {
  const text = useMessages()
  const client = useQueryClient()
  const [key, setKey] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  // Until the page is alive the browser itself would send the form, to an address that takes none.
  const alive = useMounted()

  const login = useCallback(
    async (value: string) => {
      if (!value.trim()) return setError(text.login.empty)
      setBusy(true)
      setError(undefined)
      try {
        await post<Me>('/login', { key: value.trim() })
        client.clear()
        leave()
      } catch (failure) {
        const wrong = failure instanceof ApiError && (failure.status === 401 || failure.status === 403)
        setError(wrong ? text.login.wrong : (failure as Error).message)
        setBusy(false)
      }
    },
    [client, text],
  )

  useEffect(() => {
    const fragment = new URLSearchParams(location.hash.slice(1)).get('key')
    if (fragment) {
      history.replaceState(null, '', location.pathname + location.search)
      setKey(fragment)
      void login(fragment)
      return
    }
    // Without authentication there is nothing to log in to.
    get<Me>('/me').then(
      me => me.authRequired || leave(),
      () => undefined,
    )
  }, [login])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    void login(key)
  }
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="lg" w="100%" maw={420} component="form" onSubmit={submit} method="post">
        <Stack gap="md">
          <div>
            <Text className="mono" fw={700}>
              {text.product}
            </Text>
            <Title order={1} size="h3">
              {text.login.title}
            </Title>
          </div>
          {error && (
            <Alert color="red" variant="light" role="alert">
              {error}
            </Alert>
          )}
          <PasswordInput
            label={text.login.key}
            description={text.login.keyHint}
            name="key"
            autoComplete="current-password"
            autoFocus
            value={key}
            onChange={event => setKey(event.currentTarget.value)}
          />
          <Button type="submit" loading={busy} disabled={!alive}>
            {text.login.submit}
          </Button>
        </Stack>
      </Paper>
    </Center>
  )
}

function leave(): void {
  location.replace(safeNext(new URLSearchParams(location.search).get('next')))
}
