'use client'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import { ApiError } from './lib/api.ts'
import { LanguageProvider } from './messages/languages.tsx'
import { useMessages } from './messages/use-messages.ts'
import { themeOf } from './theme.ts'

export function Providers({ children }: { children: ReactNode }) {
  return (
    <LanguageProvider>
      <Themed>{children}</Themed>
    </LanguageProvider>
  )
}

function Themed({ children }: { children: ReactNode }) {
  const { close } = useMessages().common
  const theme = useMemo(() => themeOf(close), [close])
  const [client] = useState(createClient)
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" />
        {children}
      </QueryClientProvider>
    </MantineProvider>
  )
}

/** What the server refused is not asked again by itself; what it could not answer is, twice. */
function createClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5000,
        networkMode: 'always',
        retry: (failures, error) =>
          failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      },
      mutations: { networkMode: 'always' },
    },
  })
}
