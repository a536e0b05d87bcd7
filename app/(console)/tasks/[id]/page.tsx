import type { Metadata } from 'next'
import { TaskScreen } from '../../../components/task/task-screen.tsx'

export const metadata: Metadata = { title: 'Task' }

export default function TaskPage() {
  return <TaskScreen />
}
