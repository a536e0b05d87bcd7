import { Button, createTheme, Drawer, Modal, mergeThemeOverrides, Popover } from '@mantine/core'

/** Fonts are the system's own: nothing is fetched, and text looks like the rest of the operator's desktop. */
const base = createTheme({
  primaryColor: 'blue',
  primaryShade: 8,
  autoContrast: true,
  defaultRadius: 'sm',
  cursorType: 'pointer',
  components: {
    Button: Button.extend({ styles: { label: { fontWeight: 500 } } }),
    // Who works with the keyboard goes on from where they were.
    Popover: Popover.extend({ defaultProps: { returnFocus: true } }),
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK JP", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK JP", monospace',
})

/** @param close what closes a dialog is called so */
export function themeOf(close: string) {
  const closeButtonProps = { 'aria-label': close }
  return mergeThemeOverrides(base, {
    components: {
      Modal: Modal.extend({ defaultProps: { closeButtonProps } }),
      Drawer: Drawer.extend({ defaultProps: { closeButtonProps } }),
    },
  })
}
