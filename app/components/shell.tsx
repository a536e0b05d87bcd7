'use client'

import { Button, Menu } from '@mantine/core'
import { IconChevronDown, IconLock, IconLockOpen } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'
import { goToLogin, post } from '../lib/api.ts'
import { useMe } from '../lib/queries.ts'
import { useConnection } from '../lib/socket.ts'
import { useMessages } from '../messages/use-messages.ts'
import { ColorSchemeButton } from './color-scheme.tsx'
import classes from './shell.module.css'
import { ErrorState, LoadingRows } from './states.tsx'
import { WaitingWatch } from './waiting-watch.tsx'

/** The frame of every page but the login: who is logged in, where one can go, and whether the connection stands. */
export function Shell({ children }: { children: ReactNode }) {
  const text = useMessages()
  const me = useMe()
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {text.nav.skip}
      </a>
      <header className={classes.header}>
        <Link href="/tasks" className={classes.brand}>
          {text.product}
        </Link>
        <nav aria-label={text.nav.label} className={classes.nav}>
          <NavLink href="/tasks">{text.nav.tasks}</NavLink>
          <NavLink href="/sessions">{text.nav.sessions}</NavLink>
          <NavLink href="/settings">{text.nav.settings}</NavLink>
        </nav>
        <div className={classes.tools}>
          {me.data && <WaitingWatch />}
          {me.data && <Connection />}
          {me.data?.authRequired === false && (
            <span className={classes.authOff} title={text.nav.authOffHint}>
              <IconLockOpen size={14} aria-hidden />
              {text.nav.authOff}
            </span>
          )}
          {me.data?.authRequired && <UserMenu name={me.data.name} role={me.data.role} />}
          <ColorSchemeButton />
        </div>
      </header>
      {me.data && <OfflineBanner />}
      <main id="content" className={classes.main} tabIndex={-1}>
        {me.data ? (
          children
        ) : me.isError ? (
          <ErrorState error={me.error} onRetry={() => void me.refetch()} />
        ) : (
          <LoadingRows />
        )}
      </main>
    </div>
  )
}

function NavLink({ href, children }: { href: string; children: ReactNode }) {
  const here = usePathname().startsWith(href)
  return (
    <Link href={href} aria-current={here ? 'page' : undefined} className={classes.link}>
      {children}
    </Link>
  )
}

function UserMenu({ name, role }: { name: string; role: string }) {
  const text = useMessages().nav
  const client = useQueryClient()
  const logout = async () => {
    await post('/logout').catch(() => undefined)
    client.clear()
    goToLogin()
  }
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={classes.user}
          leftSection={<IconLock size={14} aria-hidden />}
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          <span className={classes.userName}>{text.loggedInAs(name, role)}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href="/api/docs">
          {text.apiDocs}
        </Menu.Item>
        <Menu.Item onClick={() => void logout()}>{text.logout}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function Connection() {
  const text = useMessages().connection
  const state = useConnection()
  const label = { online: text.live, connecting: text.connecting, offline: text.lost }[state]
  return (
    <span className={classes.connection} data-state={state} data-testid="connection">
      {label}
    </span>
  )
}

function OfflineBanner() {
  const text = useMessages().connection
  const state = useConnection()
  return (
    <div role="status">{state === 'offline' && <div className={classes.banner}>{text.offline}</div>}</div>
  )
}
