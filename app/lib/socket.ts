import { useSyncExternalStore } from 'react'
import { io, type Socket } from 'socket.io-client'
import type { ClientToServerEvents, ServerToClientEvents } from '#protocol/socket.ts'
import { goToLogin } from './api.ts'

export type LiveSocket = Socket<ServerToClientEvents, ClientToServerEvents>
export type Connection = 'connecting' | 'online' | 'offline'

const RETRY_MS = 2000
let socket: LiveSocket | undefined
let state: Connection = 'connecting'
const listeners = new Set<() => void>()

/** The one connection of this browser tab, opened by its first user. */
export function liveSocket(): LiveSocket {
  socket ??= open()
  return socket
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    listener => {
      liveSocket()
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
    () => 'connecting',
  )
}

function open(): LiveSocket {
  const opened: LiveSocket = io({
    transports: ['websocket'],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
  })
  const tryAgain = () => {
    // Socket.IO gives up by itself where the server refused or ended the connection.
    if (!opened.active) setTimeout(() => opened.connect(), RETRY_MS)
  }
  opened.on('connect', () => become('online'))
  opened.on('disconnect', () => {
    become('offline')
    tryAgain()
  })
  opened.on('connect_error', error => {
    become('offline')
    if (codeOf(error) === 'UNAUTHENTICATED') goToLogin()
    else tryAgain()
  })
  return opened
}

function become(next: Connection): void {
  if (state === next) return
  state = next
  for (const listener of listeners) listener()
}

function codeOf(error: Error & { data?: unknown }): unknown {
  return error.data && typeof error.data === 'object' && 'code' in error.data ? error.data.code : undefined
}
