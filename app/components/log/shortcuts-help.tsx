import { Kbd, Modal, Table } from '@mantine/core'
import { useMessages } from '../../messages/use-messages.ts'

const SHORTCUTS = [
  ['/  Ctrl+F', 'search'],
  ['Enter  n  F3', 'next'],
  ['Shift+Enter  N  Shift+F3', 'previous'],
  ['Esc', 'leave'],
  ['f', 'follow'],
  ['Space', 'pause'],
  ['c', 'clear'],
  ['g  Home', 'start'],
  ['G  End', 'end'],
  [':', 'line'],
  ['e', 'error'],
  ['t', 'timestamps'],
  ['l', 'numbers'],
  ['w', 'wrap'],
  ['h', 'histogram'],
  ['z', 'fold'],
  ['i', 'input'],
  ['?', 'help'],
] as const

export function ShortcutsHelp({ opened, onClose }: { opened: boolean; onClose(): void }) {
  const text = useMessages().log
  return (
    <Modal opened={opened} onClose={onClose} title={text.helpTitle}>
      <Table verticalSpacing={4} withRowBorders={false}>
        <Table.Tbody>
          {SHORTCUTS.map(([keys, name]) => (
            <Table.Tr key={name}>
              <Table.Td w="45%">
                {keys.split('  ').map(key => (
                  <Kbd key={key} size="xs" mr={4} style={{ whiteSpace: 'nowrap' }}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{text.shortcuts[name]}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  )
}
