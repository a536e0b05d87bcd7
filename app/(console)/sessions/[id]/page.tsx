import type { Metadata } from 'next'
import { SessionScreen } from '../../../components/sessions/session-screen.tsx'

export const metadata: Metadata = { title: 'Session' }

export default function SessionPage() {
  return <SessionScreen />
}
