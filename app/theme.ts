import { Button, createTheme, Drawer, Modal } from '@mantine/core'
import { en } from './messages/en.ts'

const closeButtonProps = { 'aria-label': en.common.close }

/** Fonts are the system's own: nothing is fetched, and text looks like the rest of the operator's desktop. */
export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: 8,
  autoContrast: true,
  defaultRadius: 'sm',
  cursorType: 'pointer',
  components: {
    Button: Button.extend({ styles: { label: { fontWeight: 500 } } }),
    Modal: Modal.extend({ defaultProps: { closeButtonProps } }),
    Drawer: Drawer.extend({ defaultProps: { closeButtonProps } }),
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK JP", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace',
})
